"""Errors of transactions are put into words, and any other text stays as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.localnet.programs import pumpfun, pumpswap
from memesnipe.solana.error_words import error_in_words, errors_in_words
from memesnipe.solana.fills import error_text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"InstructionError": [3, {"Custom": 6003}]},
         "on pump.fun: the price fell past the order's slippage limit (instruction 4 of the transaction, code 6003)"),
        ({"InstructionError": [0, {"Custom": 7777}]},
         "the program refused it (instruction 1 of the transaction, code 7777)"),
        ({"InstructionError": [2, "ComputationalBudgetExceeded"]},
         "it needed more compute units than the transaction allows (instruction 3 of the transaction)"),
        ({"InstructionError": [2, "InvalidAccountData"]},
         "invalid account data (instruction 3 of the transaction)"),
        ({"InstructionError": [2, {"BorshIoError": "?"}]},
         "the program refused it (instruction 3 of the transaction)"),
        ({"InsufficientFundsForRent": {"account_index": 2}},
         "too little SOL in the wallet for the rent of an account"),
        ("BlockhashNotFound", "the transaction has expired, or the node does not know its blockhash yet"),
    ],
)  # fmt: skip
def test_an_error_is_put_into_words(error: object, words: str) -> None:
    assert error_in_words(error) == words
    assert errors_in_words(error_text(error)) == words
    assert errors_in_words(f"pump.fun: the simulation failed: {json.dumps(error)}; tried again") == (
        f"pump.fun: the simulation failed: {words}; tried again"
    )


@pytest.mark.parametrize("program", [pumpfun, pumpswap])
def test_what_the_local_programs_refuse_is_known(program: object) -> None:
    known = set(program._ERRORS) - {6001, 6002, 6014, 6015}  # type: ignore[attr-defined]
    for code in known:
        assert "refused it" not in error_in_words({"InstructionError": [0, {"Custom": code}]}), code


@pytest.mark.parametrize(
    "text",
    ["", "slippage", "it succeeded without moving tokens", '{"InstructionError":[3,{"Cus', '{"a": 1}', "a {", 'say "Hi',
     '{"InstructionError": [3]}', '{"InstructionError": {"a": 1}}', '"PumpSwap pool"', 'the coin "Pepe"'],
)  # fmt: skip
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert errors_in_words(text) == text


@given(st.text(alphabet='{}[]":,aA 1'))
def test_no_text_is_refused(text: str) -> None:
    assert isinstance(errors_in_words(text), str)
