"""The client of nodes: failover, real error shapes, limits, and no key in any error."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.service_errors import (
    NodeBehindError,
    PreflightError,
    RateLimitedError,
    RejectedError,
    ServiceError,
    UnreachableError,
)
from tests.solana.http_server import Reply, error, result, serving

WIRE = Path(__file__).parents[2] / "../shared/data/wire/helius"
EPOCH = {"absoluteSlot": 430_727_426, "blockHeight": 408_000_000, "epoch": 997, "slotIndex": 1, "slotsInEpoch": 432_000}
BEHIND = error(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42})
T = TypeVar("T")


def asked(use: Callable[[Rpc], Awaitable[T]], *urls: str, attempts: int = 2) -> T:
    async def run() -> T:
        async with http_client(2.0) as client:
            return await use(Rpc([Service(client, url) for url in urls], attempts))

    return asyncio.run(run())


def height(rpc: Rpc) -> Awaitable[int]:
    async def ask() -> int:
        return (await rpc.epoch("finalized")).block_height

    return ask()


@pytest.mark.parametrize(
    "failure",
    [BEHIND, Reply(b"<html>", 502), Reply(b"not json"), Reply(closes=True), Reply({}, 429, {"Retry-After": "30"})],
)
def test_the_next_node_answers_for_one_that_cannot(failure: Reply) -> None:
    with serving(failure) as first, serving(result(EPOCH)) as second:
        assert asked(height, first.url, second.url) == 408_000_000
        assert len(first.requests) == len(second.requests) == 1


def test_a_read_is_repeated_until_a_node_answers() -> None:
    with serving(BEHIND, BEHIND, result(EPOCH)) as node:
        assert asked(height, node.url, attempts=3) == 408_000_000


def test_a_node_that_limits_is_left_alone_for_as_long_as_it_asks() -> None:
    async def twice(rpc: Rpc) -> None:
        for _ in range(2):
            with pytest.raises(RateLimitedError) as caught:
                await rpc.send(b"tx")
            assert 29 < caught.value.wait_s <= 30

    with serving(Reply({}, 429, {"Retry-After": "30"})) as node:
        asked(twice, node.url)
        assert len(node.requests) == 1


@pytest.mark.skipif(not WIRE.is_dir(), reason="the recorded replies are not here")
def test_a_recorded_overload_is_a_node_that_cannot_answer_now() -> None:
    recorded = json.loads((WIRE / "get_token_largest_accounts.json").read_text())["body"]
    with serving(Reply(recorded)) as node, pytest.raises(NodeBehindError, match="account index service overloaded"):
        asked(lambda rpc: rpc.largest_accounts("mint"), node.url)


def test_a_failed_preflight_says_why() -> None:
    data = {"err": {"InstructionError": [2, {"Custom": 6002}]}, "logs": ["Program log: slipped"], "unitsConsumed": 9}
    with serving(error(-32002, "Transaction simulation failed", data)) as node, pytest.raises(PreflightError) as caught:
        asked(lambda rpc: rpc.send(b"tx"), node.url)
    assert caught.value.err == data["err"]
    assert caught.value.logs == ["Program log: slipped"]


def test_a_refusal_is_not_repeated() -> None:
    with serving(error(-32602, "Invalid param")) as node, pytest.raises(RejectedError, match="Invalid param"):
        asked(height, node.url)
    assert len(node.requests) == 1


def test_a_reply_of_another_type_is_no_answer() -> None:
    with serving(result({"absoluteSlot": "7"})) as node, pytest.raises(UnreachableError, match="unexpected reply"):
        asked(height, node.url)


def test_sending_skips_preflight_and_is_not_repeated_at_a_node() -> None:
    with serving(Reply(closes=True)) as node, pytest.raises(UnreachableError):
        asked(lambda rpc: rpc.send(b"tx"), node.url)
    (request,) = node.requests
    assert request.json["params"] == ["dHg=", {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}]


def test_no_error_shows_a_key() -> None:
    secret = "s3cr3t-key-0123"
    replies = [error(-32602, f"bad key {secret}"), Reply({"error": f"{secret} is invalid"}, 401), Reply(closes=True)]
    for reply in replies:
        with serving(reply) as node, pytest.raises(ServiceError) as caught:
            asked(height, f"{node.url}/?api-key={secret}", attempts=1)
        assert secret not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
