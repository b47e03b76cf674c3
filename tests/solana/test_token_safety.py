"""The verdict on a token: dangers of the mint, holders without pools, services, a sale; and no answer is a reason."""

import asyncio
import base64
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from memesnipe.execution.token_verdict import SafetyReason, SafetyVerdict
from memesnipe.solana.jupiter import JupiterClient, JupiterToken, TokenAudit
from memesnipe.solana.mint_account import TOKEN, TOKEN_2022, MintError, parse_mint
from memesnipe.solana.rpc import AccountData, HeldAmount, Rpc
from memesnipe.solana.rugcheck import Risk, RugCheckClient, RugCheckSummary
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.service_errors import UnreachableError
from memesnipe.solana.token_safety import SafetyPolicy, TokenSafety
from tests.solana.http_server import Reply, Request, result, serving

WIRE = Path(__file__).parents[2] / "../shared/data/wire"
MINT = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
KEY = bytes([7] * 32)
POOL = frozenset({"pool"})


def mint_data(*extensions: tuple[int, bytes], mint: bool = False, freeze: bool = False, supply: int = 1_000) -> bytes:
    fixed = struct.pack("<I32sQBBI32s", mint, KEY, supply, 6, 1, freeze, KEY)
    if not extensions:
        return fixed
    tail = b"".join(struct.pack("<HH", number, len(value)) + value for number, value in extensions)
    return fixed + bytes(165 - 82) + b"\x01" + tail


def transfer_fee(bps: int, authority: bytes = bytes(32)) -> bytes:
    one = struct.pack("<QQH", 1, 2, bps)
    return authority + bytes(32) + bytes(8) + one + one


CLEAN = mint_data()
REPORT = RugCheckSummary(7.0, [Risk("Mutable metadata", "warn")])
LISTED = JupiterToken(MINT, TokenAudit(mint_authority_disabled=True))


@dataclass
class Sources:
    """A node, RugCheck and Jupiter with nothing to say against the token; tests change what they say."""

    data: bytes = CLEAN
    owner: str = TOKEN
    largest: list[HeldAmount] = field(default_factory=lambda: [HeldAmount("pool", "800"), HeldAmount("a", "200")])
    report: RugCheckSummary = REPORT
    listed: JupiterToken | None = LISTED
    sale: str = ""
    silent: str = ""

    def _speak(self, name: str) -> None:
        if name == self.silent:
            raise UnreachableError("https://host", "ReadTimeout")

    async def accounts(self, addresses: object) -> list[AccountData | None]:
        self._speak("accounts")
        return [AccountData(1, self.owner, (base64.b64encode(self.data).decode(), "base64"))]

    async def largest_accounts(self, mint: str) -> list[HeldAmount]:
        self._speak("largest")
        return self.largest

    async def summary(self, mint: str) -> RugCheckSummary:
        self._speak("rugcheck")
        return self.report

    async def token(self, mint: str) -> JupiterToken | None:
        self._speak("jupiter")
        return self.listed

    async def sell(self, mint: str) -> str:
        self._speak("sale")
        return self.sale

    def verdict(self) -> SafetyVerdict:
        safety = TokenSafety(self, self, self, self.sell, SafetyPolicy())
        return asyncio.run(safety.assess(MINT, POOL))


def test_a_token_without_findings_is_safe() -> None:
    verdict = Sources().verdict()
    assert (verdict.mint, verdict.reasons, verdict.is_safe) == (MINT, (), True)
    assert set(verdict.sources.values()) == {"checked"}


def test_a_service_that_is_not_configured_is_not_asked_and_the_verdict_says_so() -> None:
    sources = Sources(report=RugCheckSummary(99.0), listed=None)
    safety = TokenSafety(sources, None, None, sources.sell, SafetyPolicy())
    verdict = asyncio.run(safety.assess(MINT, POOL))
    assert verdict.is_safe
    assert {check for check, source in verdict.sources.items() if source == "not configured"} == {"rugcheck", "jupiter"}


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        (Sources(mint_data(mint=True)), SafetyReason("mint", "mint authority")),
        (Sources(mint_data(freeze=True)), SafetyReason("mint", "freeze authority")),
        (Sources(largest=[HeldAmount("a", "301")]), SafetyReason("holders", "the 10 largest accounts hold 30%")),
        (Sources(largest=[]), SafetyReason("holders", "no holders are known")),
        (Sources(report=RugCheckSummary(51.0)), SafetyReason("rugcheck", "score 51")),
        (Sources(report=RugCheckSummary(float("nan"))), SafetyReason("rugcheck", "score nan")),
        (Sources(report=RugCheckSummary(1.0, [Risk("Copycat", "danger")])), SafetyReason("rugcheck", "Copycat")),
        (Sources(listed=None), SafetyReason("jupiter", "has no audit")),
        (Sources(listed=JupiterToken(MINT, TokenAudit(is_sus=True))), SafetyReason("jupiter", "suspicious")),
        (Sources(sale="the simulation failed"), SafetyReason("sale", "the simulation failed")),
    ],
)
def test_each_finding_is_the_reason(sources: Sources, reason: SafetyReason) -> None:
    assert sources.verdict().reasons == (reason,)


@pytest.mark.parametrize("silent", ["accounts", "largest", "rugcheck", "jupiter", "sale"])
def test_a_check_that_cannot_be_made_is_a_reason(silent: str) -> None:
    verdict = Sources(silent=silent).verdict()
    assert not verdict.is_safe
    assert all(reason.detail == "cannot be checked: host: ReadTimeout" for reason in verdict.reasons)
    assert {reason.check for reason in verdict.reasons} == {k for k, v in verdict.sources.items() if v == "no answer"}


@pytest.mark.parametrize(
    ("extension", "dangers"),
    [
        ((1, transfer_fee(0)), []),
        ((1, transfer_fee(0, KEY)), ["transfer fee can change"]),
        ((1, transfer_fee(100)), ["transfer fee of 100 bps"]),
        ((1, b"short"), ["transfer fee that cannot be read"]),
        ((6, b"\x01"), []),
        ((6, b"\x02"), ["accounts are frozen at first"]),
        ((9, b""), ["not transferable"]),
        ((12, KEY), ["permanent delegate"]),
        ((12, bytes(32)), []),
        ((14, bytes(32) + KEY), ["transfer hook"]),
        ((14, KEY + bytes(32)), ["transfer hook"]),
        ((14, bytes(64)), []),
        ((26, bytes(33)), ["pausable"]),
        ((18, bytes(64)), []),  # a pointer to metadata
    ],
)
def test_extensions_of_a_mint(extension: tuple[int, bytes], dangers: list[str]) -> None:
    assert parse_mint(TOKEN_2022, mint_data((18, bytes(64)), extension)).dangers() == dangers


def test_what_is_no_mint_is_refused() -> None:
    for owner, data in (
        (MINT, mint_data()), (TOKEN, mint_data()[:81]), (TOKEN, mint_data((9, b""))), (TOKEN, bytes(82)),
        (TOKEN_2022, mint_data((9, b"long"))[:-2]), (TOKEN_2022, mint_data() + bytes(84)),
    ):  # fmt: skip
        with pytest.raises(MintError):
            parse_mint(owner, data)


@pytest.mark.skipif(not WIRE.is_dir(), reason="the recorded replies are not here")
def test_recorded_replies_of_an_overloaded_node_and_of_rugcheck() -> None:
    """The recorded node does not know the largest accounts, so the token fails the check of its holders alone."""
    overloaded = json.loads((WIRE / "helius/get_token_largest_accounts.json").read_text())["body"]
    summary = json.loads((WIRE / "rugcheck/summary_bonk.json").read_text())["body"]
    account = {"lamports": 1, "owner": TOKEN, "data": [base64.b64encode(mint_data()).decode(), "base64"]}

    def answer(request: Request) -> Reply:
        if request.path.startswith("/v1/tokens/"):
            return Reply(summary)
        if request.path.startswith("/tokens/v2/"):
            return Reply([{"id": MINT, "audit": {"mintAuthorityDisabled": True}, "organicScore": 99.1}])
        if request.json["method"] == "getTokenLargestAccounts":
            return Reply(overloaded)
        return result({"context": {"slot": 1}, "value": [account]})

    async def run(url: str) -> SafetyVerdict:
        from solders.pubkey import Pubkey

        async with http_client() as client:
            service = Service(client, url)
            jupiter = JupiterClient(service, Pubkey.default())
            safety = TokenSafety(Rpc([service], 2), RugCheckClient(service), jupiter, Sources().sell, SafetyPolicy())
            return await safety.assess(MINT, POOL)

    with serving(by=answer) as server:
        (reason,) = asyncio.run(run(server.url)).reasons
    assert reason.check == "holders"
    assert "account index service overloaded" in reason.detail
