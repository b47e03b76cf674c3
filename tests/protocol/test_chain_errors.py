"""Errors of the chain are shown in plain words, wherever they are in a text, and nothing else is changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.protocol.chain_errors import in_words


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            '{"InstructionError":[4,{"Custom":6003}]}',
            "the price moved by more than the tolerance: it would have brought less SOL than allowed; error 6003 "
            "(instruction 5 of the transaction)",
        ),
        (
            'pumpfun: the simulation failed: {"InstructionError":[0,{"Custom":77}]}',
            "pumpfun: the simulation failed: the program refused it with error 77 (instruction 1 of the transaction)",
        ),
        (
            '{"InstructionError":[2,"ProgramFailedToComplete"]}',
            "the program did not come to an end (instruction 3 of the transaction)",
        ),
        ('"BlockhashNotFound"', "its blockhash had expired"),
        ('"InvalidRentPayingAccount"', "invalid rent paying account"),
        ('{"DuplicateInstruction":3}', "duplicate instruction (3)"),
        (
            '{"InsufficientFundsForRent":{"account_index":0}}',
            'an account would keep less than the rent that the chain requires ({"account_index": 0})',
        ),
    ],
)
def test_errors_are_in_words(raw: str, words: str) -> None:
    assert in_words(raw) == words


@pytest.mark.parametrize(
    "text", ["", "slipped", "stop_loss", "not landed", 'the token "xyz" is new', '{"InstructionError":[4,{"Cus']
)
def test_other_texts_and_cut_ones_stay(text: str) -> None:
    assert in_words(text) == text


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(in_words(text), str)
    assert isinstance(in_words(f'{{"A":{text}}}'), str)
