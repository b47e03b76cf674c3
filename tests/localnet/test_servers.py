"""Local Jupiter, Jito and Sender: replies as in their specifications, and what they send lands on the chain."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.http_replies import RateLimit
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs.state import pay
from memesnipe.localnet.sender import TIP_ACCOUNTS, SenderServer
from memesnipe.localnet.token_data import TokenData
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS, WRAPPED_SOL
from tests.localnet.programs.market import ME, fund

SPECS = Path(__file__).parents[3] / "shared/reference/specs/jupiter"
SOL_MINT = str(WRAPPED_SOL)


class World:
    """A node with a market of two coins, of which the second has migrated, and clients of its servers."""

    def __init__(self, node: Node, market: ChainMarket) -> None:
        self.node, self.market = node, market
        self.http = httpx.Client(base_url=node.rpc_url, timeout=30.0)
        self.on_curve, self.in_pool = market.coins

    def get(self, path: str, **params: Any) -> Any:
        reply = self.http.get(path, params=params)
        check(path, "get", reply)
        return reply.json()

    def execute(self, order: dict[str, Any]) -> Any:
        """Sign an order and execute it; blocks are produced until it has answered."""
        body = {"signedTransaction": sign(order["transaction"]), "requestId": order["requestId"]}
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.http.post, "/swap/v2/execute", json=body)
            while not answer.done():
                self.node.tick()
        check("/swap/v2/execute", "post", answer.result())
        return answer.result().json()

    def call(self, path: str, method: str, params: Any) -> httpx.Response:
        return self.http.post(path, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    def payment(self, *payments: tuple[Pubkey, int], unique: int = 0) -> str:
        """Return a signed transaction of transfers, in base64."""
        limit = Instruction(
            Pubkey.from_string("ComputeBudget111111111111111111111111111111"), bytes([2, unique, 0, 9, 0]), []
        )
        made = [limit, *(pay(ME.pubkey(), to, lamports) for to, lamports in payments)]
        blockhash, _ = self.node.call(self.market.chain.latest_blockhash)
        return base64.b64encode(
            bytes(VersionedTransaction(MessageV0.try_compile(ME.pubkey(), made, [], blockhash), [ME]))
        ).decode()


@pytest.fixture
def world() -> Iterator[World]:
    chain = Chain()
    market = ChainMarket(chain)
    fund(chain)
    market.create_coin("on curve")
    migrated = market.create_coin("in pool")
    chain.tick()
    market.buy(ME, migrated, 87 * SOL)
    chain.tick()
    market.migrate(migrated)
    chain.tick()
    servers = (JupiterServer(market), TokenData(market, lambda: 150.0), JitoServer(chain), SenderServer(chain))
    with Node(chain, routes=[one for server in servers for one in server.routes()], is_paced=False) as node:
        found = World(node, market)
        yield found
        found.http.close()


def sign(transaction: str) -> str:
    unsigned = VersionedTransaction.from_bytes(base64.b64decode(transaction))
    signature = ME.sign_message(to_bytes_versioned(unsigned.message))
    return base64.b64encode(bytes(VersionedTransaction.populate(unsigned.message, [signature]))).decode()


def check(path: str, method: str, reply: httpx.Response) -> None:
    """Validate a reply, and no property that the specification does not name, where there is one."""
    prefix, name = next(
        one
        for one in (("/swap/v2", "swap-v2"), ("/tokens/v2", "tokens-v2"), ("/price/v3", "price-v3"))
        if path.startswith(one[0])
    )
    file = SPECS / f"{name}.yaml"
    if not file.exists():
        pytest.skip(f"{file.name} is not there")
    spec = yaml.safe_load(file.read_text())
    operation = spec["paths"]["/price/v3" if name == "price-v3" else path.removeprefix(prefix)][method]
    schema = operation["responses"][str(reply.status_code)]["content"]["application/json"]["schema"]
    whole = strict(schema) | {"components": strict(spec.get("components", {}))}
    jsonschema.Draft202012Validator(whole).validate(reply.json())
    if method == "get":
        named = {
            (spec["components"]["parameters"][one["$ref"].split("/")[-1]] if "$ref" in one else one)["name"]
            for one in operation.get("parameters", [])
        }
        assert set(reply.request.url.params) <= named
    else:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(strict(body)).validate(json.loads(reply.request.content))


def strict(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as one of JSON Schema that allows no other properties."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items() if key not in ("nullable", "example", "default")}
    if "properties" in found and "additionalProperties" not in found and isinstance(found["properties"], dict):
        found["additionalProperties"] = False
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


@pytest.mark.parametrize("venue", ["on_curve", "in_pool"])
def test_an_order_pays_what_was_quoted(world: World, venue: str) -> None:
    mint = getattr(world, venue)
    held = world.node.call(lambda: world.market.balance(ME.pubkey(), mint))
    ways = {"inputMint": SOL_MINT, "outputMint": str(mint), "amount": str(SOL), "taker": str(ME.pubkey())}
    order = world.get("/swap/v2/order", **ways, slippageBps="100")
    bought = world.execute(order)
    assert (bought["status"], bought["code"]) == ("Success", 0)
    assert bought["outputAmountResult"] == order["outAmount"]
    assert world.node.call(lambda: world.market.balance(ME.pubkey(), mint)) == held + int(order["outAmount"])
    back = ways | {"inputMint": str(mint), "outputMint": SOL_MINT, "amount": order["outAmount"]}
    order = world.get("/swap/v2/order", **back)
    sold = world.execute(order)
    assert (sold["status"], sold["outputAmountResult"]) == ("Success", order["outAmount"])
    assert int(sold["outputAmountResult"]) < SOL


def test_a_moved_pool_fails_the_order(world: World) -> None:
    ways = {"inputMint": SOL_MINT, "outputMint": str(world.on_curve), "amount": str(SOL), "taker": str(ME.pubkey())}
    order = world.get("/swap/v2/order", **ways, slippageBps="50")
    world.node.call(lambda: world.market.buy(ME, world.on_curve, 20 * SOL))
    world.node.tick()
    failed = world.execute(order)
    assert (failed["status"], failed["code"]) == ("Failed", 6001)
    assert world.execute(order | {"transaction": order["transaction"]})["status"] == "Failed"


def test_orders_that_cannot_be_built_say_why(world: World) -> None:
    ways = {"inputMint": SOL_MINT, "outputMint": str(world.on_curve), "amount": str(SOL)}
    assert world.get("/swap/v2/order", **ways)["transaction"] is None
    poor = world.get("/swap/v2/order", **ways, taker=str(TIP_ACCOUNTS[0]))
    assert (poor["transaction"], poor["errorCode"]) == ("", 1)
    for wrong in ({"amount": "x"}, {"outputMint": "x"}, {"outputMint": SOL_MINT}, {"outputMint": str(ME.pubkey())}):
        reply = world.http.get("/swap/v2/order", params=ways | wrong)
        check("/swap/v2/order", "get", reply)
        assert reply.status_code == 400
    for body in ({"signedTransaction": "AA", "requestId": "x"}, {"signedTransaction": "!", "requestId": "x"}):
        reply = world.http.post("/swap/v2/execute", json=body)
        check("/swap/v2/execute", "post", reply)
        assert reply.json()["code"] < 0


def test_built_instructions_make_a_transaction_that_lands(world: World) -> None:
    ways = {"inputMint": SOL_MINT, "outputMint": str(world.in_pool), "amount": str(SOL), "taker": str(ME.pubkey())}
    held = world.node.call(lambda: world.market.balance(ME.pubkey(), world.in_pool))
    built = world.get("/swap/v2/build", **ways, tipAmount="2000")
    groups = (built["computeBudgetInstructions"], built["setupInstructions"], [built["swapInstruction"]])
    parts = [one for group in groups for one in group] + [built["cleanupInstruction"], built["tipInstruction"]]
    made = [
        Instruction(
            Pubkey.from_string(one["programId"]),
            base64.b64decode(one["data"]),
            [
                AccountMeta(Pubkey.from_string(meta["pubkey"]), meta["isSigner"], meta["isWritable"])
                for meta in one["accounts"]
            ],
        )
        for one in parts
    ]
    signature = world.node.call(lambda: world.market.send(ME, *made))
    world.node.tick()
    record = world.node.call(lambda: world.market.chain.history.get(signature))
    assert record is not None
    assert record.execution.err is None
    assert world.node.call(lambda: world.market.balance(ME.pubkey(), world.in_pool)) == held + int(built["outAmount"])
    assert bytes(built["blockhashWithMetadata"]["blockhash"]) != bytes(32)


def test_prices_and_tokens(world: World) -> None:
    ids = f"{SOL_MINT},{world.on_curve},{world.in_pool},{ME.pubkey()}"
    prices = world.get("/price/v3", ids=ids)
    assert prices.keys() == {SOL_MINT, str(world.on_curve), str(world.in_pool)}
    assert prices[str(world.on_curve)]["usdPrice"] == pytest.approx(30 / 1_073_000_000 * 150)
    assert world.get("/tokens/v2/search", query=str(world.on_curve))[0]["decimals"] == 6
    assert [one["id"] for one in world.get("/tokens/v2/recent")] == [str(world.in_pool), str(world.on_curve)]


def test_a_bundle_lands_whole_and_in_order_or_not_at_all(world: World) -> None:
    other, tip = Pubkey.from_bytes(bytes([7] * 32)), JITO_TIP_ACCOUNTS[3]
    first, second = world.payment((other, SOL)), world.payment((other, SOL), (tip, 1_000_000), unique=1)
    bundle = world.call("/api/v1/bundles", "sendBundle", [[first, second], {"encoding": "base64"}]).json()["result"]
    assert len(bundle) == 64
    pending = world.call("/api/v1/bundles", "getInflightBundleStatuses", [[bundle, "0" * 64]]).json()["result"]
    assert [one["status"] for one in pending["value"]] == ["Pending", "Invalid"]
    assert world.call("/api/v1/bundles", "getBundleStatuses", [[bundle]]).json()["result"]["value"] == [None]
    world.node.tick(2)
    (found,) = world.call("/api/v1/bundles", "getBundleStatuses", [[bundle]]).json()["result"]["value"]
    assert found["confirmation_status"] in ("processed", "confirmed")
    assert len(found["transactions"]) == 2
    rich = world.payment((other, 100_000 * SOL), unique=2)
    kept = world.payment((other, SOL), (tip, 1_000_000), unique=3)
    failing = world.call("/api/v1/bundles", "sendBundle", [[kept, rich], {"encoding": "base64"}]).json()["result"]
    world.node.tick(160)
    (failed,) = world.call("/api/v1/bundles", "getInflightBundleStatuses", [[failing]]).json()["result"]["value"]
    assert failed["status"] == "Failed"
    account = world.node.call(lambda: world.market.chain.account(other))
    assert account is not None
    assert account.lamports == 2 * SOL


def test_tips_are_required(world: World) -> None:
    untipped = world.payment((JITO_TIP_ACCOUNTS[0], 999))
    reply = world.call("/api/v1/bundles", "sendBundle", [[untipped], {"encoding": "base64"}])
    assert reply.json()["error"]["code"] == -32602
    options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
    small = world.payment((TIP_ACCOUNTS[0], 900_000))
    assert world.call("/fast", "sendTransaction", [small, options]).json()["error"]["code"] == -32602
    assert "result" in world.call("/fast?swqos_only=true", "sendTransaction", [small, options]).json()
    enough = world.payment((TIP_ACCOUNTS[0], 1_000_000), unique=1)
    careful = options | {"skipPreflight": False}
    assert "error" in world.call("/fast", "sendTransaction", [enough, careful]).json()
    assert "result" in world.call("/fast", "sendTransaction", [enough, options]).json()
    single = world.payment((JITO_TIP_ACCOUNTS[0], 1_000), unique=2)
    sent = world.call("/api/v1/transactions", "sendTransaction", [single, {"encoding": "base64"}])
    assert len(sent.headers["x-bundle-id"]) == 64
    assert len(world.call("/api/v1/getTipAccounts", "getTipAccounts", []).json()["result"]) == 8
    (floor,) = world.http.get("/api/v1/bundles/tip_floor").json()
    assert 0 < floor["landed_tips_25th_percentile"] <= floor["landed_tips_99th_percentile"] < 1


def test_a_rate_limit_counts_down_and_refuses() -> None:
    now = [1_000.0]
    limit = RateLimit(2, 60.0, lambda: now[0])
    assert [limit.take()[1]["x-ratelimit-remaining"] for _ in range(3)] == ["1", "0", "-1"]
    assert not limit.take()[0]
    now[0] += 61
    is_allowed, headers = limit.take()
    assert is_allowed
    assert int(headers["x-ratelimit-reset"]) > now[0]
