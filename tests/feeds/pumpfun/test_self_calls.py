"""The events of inner instructions are those of the logs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.base58 import encode as to_base58
from memesnipe.feeds.pumpfun.invocations import DataLine, attribute
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.feeds.pumpfun.self_calls import TransactionError, from_base58, lines_of
from memesnipe.testing.pumpfun_frames import data_line, encode_event
from tests.feeds.pumpfun.chain import CREATE, SOL, TOKEN, Curve, pool_buy
from tests.feeds.pumpfun.node import transaction_result
from tests.feeds.pumpfun.recorded import SHARED

RECORDED = SHARED / "reference/specs/pump/raw_buy_tx.json"
BUY, POOL_BUY = Curve().buy(TOKEN), pool_buy(TOKEN, 10**14, 80 * SOL)


@pytest.mark.skipif(not RECORDED.is_file(), reason="there is no recorded transaction")
def test_a_recorded_transaction_has_the_events_of_its_logs() -> None:
    parsed = json.loads(RECORDED.read_text())["result"]
    keys = [key["pubkey"] for key in parsed["transaction"]["message"]["accountKeys"]]
    inner = [
        {
            "index": group["index"],
            "instructions": [
                {"programIdIndex": keys.index(one["programId"]), "data": one["data"]}
                for one in group["instructions"]
                if "data" in one
            ],
        }
        for group in parsed["meta"]["innerInstructions"]
    ]
    result = {"transaction": {"message": {"accountKeys": keys}}, "meta": {"err": None, "innerInstructions": inner}}
    expected = attribute(parsed["meta"]["logMessages"]).lines
    assert len(expected) == 2
    assert lines_of(result) == expected


def test_events_of_both_programs_are_attributed_by_the_address_that_is_called() -> None:
    lines = lines_of(transaction_result([CREATE, BUY, POOL_BUY]))
    expected = [data_line(encode_event(event)).removeprefix("Program data: ") for event in (CREATE, BUY, POOL_BUY)]
    assert lines == [DataLine(PUMP, expected[0]), DataLine(PUMP, expected[1]), DataLine(PUMP_AMM, expected[2])]


def with_data(data: str, index: int = 1) -> dict[str, Any]:
    inner = [{"index": 0, "instructions": [{"programIdIndex": index, "data": data}]}]
    return transaction_result([BUY], innerInstructions=inner)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({}, "answer not understood"),
        ({"transaction": ["base64", "base64"], "meta": None}, "answer not understood"),
        (transaction_result([BUY], innerInstructions=None), "node without inner instructions"),
        (transaction_result([BUY]) | {"meta": None}, "node without inner instructions"),
        (transaction_result([BUY], err={"InstructionError": [0, "Custom"]}), "transaction failed"),
        (with_data("1", index=9), "answer not understood"),
        (with_data("1", index=-1), "answer not understood"),
        (with_data("0OIl"), "answer not understood"),
        (with_data("z" * 20_001), "answer not understood"),
    ],
)
def test_other_results_are_refused(result: Any, reason: str) -> None:
    with pytest.raises(TransactionError, match=f"^{reason}$"):
        lines_of(result)


@given(st.binary(max_size=300))
def test_base58_is_read_back(data: bytes) -> None:
    assert from_base58(to_base58(data)) == data
