"""The history forgets the oldest transactions, by account too; base58 is its own inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from memesnipe import base58
from tests.localnet.support import SOL, funded, pay, signed, wallet

A, B, C = wallet(1), wallet(2), wallet(3)


def test_the_oldest_transactions_are_forgotten() -> None:
    chain = funded(A, history=3)
    signatures = []
    for number, to in enumerate((B, C, B, B, C)):
        signatures.append(chain.send(signed(chain, A, pay(A, to.pubkey(), SOL // 10 + number))))
        chain.tick()
    assert len(chain.history) == 3
    assert [one.signature for one in chain.history.of_address(B.pubkey())] == [signatures[3], signatures[2]]
    assert [one.signature for one in chain.history.of_address(C.pubkey())] == [signatures[4]]
    assert chain.history.get(signatures[0]) is None
    chain.roll_back(4)  # one more block than transactions are known
    assert len(chain.history) == 0
    assert chain.history.of_address(A.pubkey()) == []


@given(st.binary(max_size=80))
def test_base58_returns_the_same_bytes(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data


@given(st.binary(min_size=32, max_size=32))
def test_base58_is_that_of_addresses(data: bytes) -> None:
    assert base58.encode(data) == str(Pubkey(data))


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "é"])
def test_other_letters_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no digit of base58"):
        base58.decode(text)
