"""Attacks on the signer: mutated swaps are signed exactly when an independent oracle finds nothing that is forbidden.

`make test` runs 2,000 cases, `make fuzz` FUZZ_CASES (100,000).
"""

import base64
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from solders.hash import Hash
from solders.transaction import VersionedTransaction

from memesnipe.signer.audit import AuditLog, verify_audit
from memesnipe.signer.intent import Intent, SignRequest
from memesnipe.signer.policy import Policy, default_policy_text, parse_policy
from memesnipe.signer.refusal import RefusedError
from memesnipe.signer.service import Signer
from memesnipe.signer.spending import SpendingBook
from tests.fuzz.framework import CASES, fuzz
from tests.signer.addresses import ATTACKER, MINT, OWN_WSOL, TOKEN, WALLET, WALLET_KEY, WSOL
from tests.signer.attacks import attacks
from tests.signer.cases import Case, create_ata, jupiter, swaps, token
from tests.signer.conftest import SteppedClock
from tests.signer.oracle import judge
from tests.signer.oracle_swaps import Limits

_EXAMPLES = max(2_000, CASES)
_MEMORY = Path("/dev/shm")
_LOTS = str(10**15)


def _policy() -> Policy:
    """The default limits of one transaction, and none of hours and days, which other tests check."""
    text = default_policy_text().replace("enabled = false", "enabled = true")
    for old in ("per_hour = 100_000_000", "per_day = 300_000_000", "exit_costs_per_day = 100_000_000"):
        assert old in text
        text = text.replace(old, f"{old.partition(' ')[0]} = {_LOTS}")
    return parse_policy(text, "attacks")


POLICY = _policy()
LIMITS = Limits(20_000_000, 1_000_000, 1_000_000, 6_000_000, 3_000, 30_000, POLICY.tip_keys)


class Attacked:
    """A signer whose chain is the world of each case."""

    def __init__(self, folder: Path) -> None:
        self.clock = SteppedClock()
        self.folder = folder
        self.book = SpendingBook(folder / "spending.sqlite")
        self.audit = AuditLog(folder / "audit.jsonl", self.clock.now_ms(), wait_s=0)
        self.outcomes: Counter[str] = Counter()
        self._orders = count()

    def attack(self, case: Case) -> str:
        """Try one case; return "signed" or the reason of the refusal, after comparing it with the oracle's."""
        world = case.world()
        intent = case.intent | {"decided_ms": self.clock.now_ms() - case.age_ms}
        number = next(self._orders)
        raw = case.raw(Hash.hash(str(number).encode()))  # every transaction is another one
        expected = judge(raw, intent, self.clock.now_ms(), world, LIMITS)
        signer = Signer(WALLET_KEY, POLICY, world, self.book, self.audit, self.folder / "halt", self.clock)
        request = SignRequest(
            transaction=base64.b64encode(raw).decode() or "=",
            order_id=f"order-{number}",
            intent=Intent.model_validate(intent),
        )
        try:
            signed = signer.sign(request)
        except RefusedError as refusal:
            assert refusal.reason in expected or (refusal.reason == "order_signed" and not expected), (
                refusal,
                expected,
            )
            return str(refusal.reason)
        assert not expected, "signed what is forbidden"
        assert VersionedTransaction.from_bytes(signed.transaction).verify_with_results() == [True]
        assert signed.transaction[65:] == raw[65:]
        return "signed"


@pytest.fixture(scope="module")
def attacked() -> Iterator[Attacked]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        found = Attacked(Path(folder))
        yield found
        found.audit.close()
        found.book.close()
        verify_audit(Path(folder) / "audit.jsonl")
        logging.getLogger(__name__).warning("outcomes: %s", dict(found.outcomes.most_common()))


@settings(fuzz, max_examples=max(200, CASES // 10))
@given(case=swaps())
def test_valid_swaps_are_signed(attacked: Attacked, case: Case) -> None:
    assert attacked.attack(case) == "signed"


@settings(fuzz, max_examples=_EXAMPLES, suppress_health_check=list(HealthCheck))
@given(attacks())
def test_what_is_forbidden_is_refused_for_the_right_reason(attacked: Attacked, attack: tuple[Case, list[str]]) -> None:
    case, names = attack
    outcome = attacked.attack(case)
    attacked.outcomes[outcome] += 1
    event(outcome)
    for name in names:
        event(f"{name}: {outcome}")


def test_a_new_account_that_the_program_gives_away_with_the_proceeds_is_refused(attacked: Attacked) -> None:
    take_over = token(TOKEN, b"\x06\x02\x01" + bytes(ATTACKER), OWN_WSOL, WALLET)
    sale = [create_ata(WSOL, TOKEN), jupiter(is_buy=False, is_shared=False, amount=500_000, quoted=0, slippage=100)]
    intent = {"side": "sell", "mint": str(MINT), "max_in": 500_000, "min_out": 0}
    assert attacked.attack(Case(sale, intent, has_wsol=False, hostile=[take_over])) == "authority"
