"""Each family on manual event sequences: one to enter, one to leave, and some that lack its condition."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from memesnipe.market.events import AMM, FIELDS, NO_TOKEN, NS_PER_S
from memesnipe.sdk import (
    BRIDGE,
    BUY,
    CURVE_COMPLETE,
    DEPTH,
    DEV_TRANSFER,
    FUNDING,
    HOLD,
    HOLDERS,
    MIGRATION,
    ONCHAIN,
    PRICE,
    PUMP_CURVE,
    PUMPSWAP,
    SELL,
    SHORT,
    SOCIAL,
)
from memesnipe.sdk.registry import BUNDLED, discover

FAMILIES = discover()
NINE_IN_KOREA = 1_767_225_600  # 2026-01-01 00:00 UTC
Event = SimpleNamespace
Story = list[Event]


def event(at_s: float, kind: int, *, token: int = 0, venue: int = 0, side: int = 0, **body: float) -> Event:
    """Return an event with only the fields of its kind: reading another one is an AttributeError."""
    header = {
        "ts": int((NINE_IN_KOREA + at_s) * NS_PER_S), "seq": 1, "token": token, "kind": kind, "venue": venue,
        "side": side, "flags": 0, "slot": 1, "sol_usd": 200.0,
    }  # fmt: skip
    return Event(**(dict.fromkeys(FIELDS[kind], 0) | header | body))


def trade(at_s: float, price: float = 1.0, usd: float = 10.0, *, liquidity: float = 8000.0, venue: int = 1) -> Event:
    """Return a buy for so many USD, or a sale (below 0), with this price after it."""
    side = 1 if usd > 0 else -1
    return event(at_s, PRICE, venue=venue, side=side, price_usd=price, volume_usd=abs(usd), liquidity_usd=liquidity)


def holders(at_s: float, count: float) -> Event:
    return event(at_s, ONCHAIN, action=HOLDERS, holders=count)


def onchain(at_s: float, action: int, usd: float = 0.0) -> Event:
    return event(at_s, ONCHAIN, action=action, amount_usd=usd, holders=80.0)


def bridged(at_s: float, usd: float, token: int = NO_TOKEN) -> Event:
    return event(at_s, BRIDGE, token=token, inflow_usd=usd)


def depth(at_s: float, change: float, left: float) -> Event:
    return event(at_s, DEPTH, change_usd=change, liquidity_usd=left)


def funding(at_s: float, mark: float, rate: float) -> Event:
    return event(at_s, FUNDING, mark_usd=mark, rate=rate)


def talk(at_s: float, mentions: float, sentiment: float = 0.6) -> Event:
    return event(at_s, SOCIAL, mentions=mentions, sentiment=sentiment)


def quiet(until_s: float = 400.0, every_s: float = 10.0, usd: float = 10.0, **where: int) -> Story:
    """Return small alternating buys and sales at a price of 1."""
    return [trade(i * every_s, 1.0, usd * (-1) ** i, **where) for i in range(int(until_s / every_s))]


def steady(from_s: float, until_s: float) -> Story:
    """Return small buys at slowly rising prices."""
    steps = range(int((until_s - from_s) / 10))
    return [trade(from_s + i * 10, 1.0 + 0.001 * i, 20.0) for i in steps]


def only(story: Story, *kinds: int) -> Story:
    return [e for e in story if e.kind in kinds]


def votes(family: str, story: Story, **params: float) -> list[int]:
    """Return a family's votes at each subscribed event, in order of time."""
    strategy = FAMILIES[family]
    values, memory = strategy.make_params(params), strategy.make_state()
    delivered = sorted((e for e in story if e.kind in strategy.subscriptions), key=lambda e: e.ts)
    return [strategy.on_event(values, memory, e) for e in delivered]


BREAKOUT = [*quiet(), trade(401, 1.05, 300), trade(405, 1.10, 400)]
FALL = [*quiet(), trade(401, 0.7, -2000)]
BURST = [talk(0, 5), talk(60, 5), talk(120, 5), talk(180, 40)]
AIRDROP = [*quiet(), holders(0, 60), holders(120, 61), holders(240, 100), holders(390, 140)]
INFLOW = [bridged(t, 1_000_000) for t in range(200, 400, 40)]
WATCHED = [holders(0, 80)]
GRADUATED = [
    *quiet(venue=PUMP_CURVE),
    onchain(401, CURVE_COMPLETE),
    onchain(402, MIGRATION, 14_000),
    *[
        trade(t, p, u, venue=PUMPSWAP)
        for t, p, u in [(410, 1.2, 300), (420, 1.5, 500), (430, 0.8, -900), (440, 0.7, -400)]
    ],
]
DIP = [*GRADUATED, trade(450, 0.75, 50, venue=PUMPSWAP), trade(460, 0.85, 200, venue=PUMPSWAP)]
PREMIUM = [*quiet(), *[funding(t, 1.03, 0.0004) for t in range(300, 400, 20)]]
DISCOUNT = [*quiet(), *[funding(t, 0.93, -0.0004) for t in range(300, 400, 20)]]
DEEPENED = [*quiet(), depth(100, 600, 8600), depth(395, 900, 9500)]

# family -> (events, expected vote at the last one)
ENTERS = {
    "airdrop_rotation": (AIRDROP, BUY),
    "bridge_inflow": ([*BREAKOUT, *INFLOW], BUY),
    "dev_wallet_drain": ([*WATCHED, *steady(0, 400)], BUY),
    "korean_time_burst": (BREAKOUT, BUY),
    "liquidity_migration": (DIP, BUY),
    "mean_revert_1h": ([*FALL, trade(410, 0.75, 200)], BUY),
    "momentum_5m": (BREAKOUT, BUY),
    "perp_basis_arb": (PREMIUM, SHORT),
    "rug_pull_sniffer": (DEEPENED, BUY),
    "social_buzz": (BURST, BUY),
}
# family -> the same market with a reason to leave at the end
LEAVES = {
    "airdrop_rotation": [*AIRDROP, holders(450, 120)],
    "bridge_inflow": [*BREAKOUT, *INFLOW, trade(1500, 1.1, 10)],
    "dev_wallet_drain": [*WATCHED, *steady(0, 400), onchain(401, DEV_TRANSFER, 2000)],
    "korean_time_burst": [*BREAKOUT, trade(7 * 3600, 1.2, 5000)],
    "liquidity_migration": [*DIP, trade(470, 0.6, -500, venue=PUMPSWAP)],
    "mean_revert_1h": [*FALL, trade(410, 0.75, 200), trade(420, 0.95, 600)],
    "momentum_5m": [*BREAKOUT, trade(408, 1.08, -2000)],
    "perp_basis_arb": [*DISCOUNT, trade(401, 0.93, -500)],
    "rug_pull_sniffer": [*DEEPENED, depth(405, -3000, 6500)],
    "social_buzz": [*BURST, talk(240, 60, -0.9)],
}
# family -> sequences that lack one of its conditions
LACKS = {
    "airdrop_rotation": [
        only(AIRDROP, PRICE),
        [e for e in AIRDROP if e.ts < event(200, PRICE).ts],  # holders as ever
        # The price has moved.
        [*quiet(200), *[trade(t, 1.3, 50) for t in range(200, 400, 20)], *only(AIRDROP, ONCHAIN)],
    ],
    "bridge_inflow": [BREAKOUT, [*quiet(), *INFLOW], [*BREAKOUT, bridged(300, 50_000)]],
    "dev_wallet_drain": [
        steady(0, 400),
        [*WATCHED, *quiet()],
        # The wallet is active.
        [*WATCHED, *steady(0, 400), *[onchain(t, DEV_TRANSFER, 40) for t in range(1, 400, 100)]],
    ],
    "korean_time_burst": [[Event(**(vars(e) | {"ts": e.ts + 9 * 3600 * NS_PER_S})) for e in BREAKOUT], quiet()],
    "liquidity_migration": [
        [e for e in DIP if e.venue == PUMPSWAP],  # it graduated before the first event
        [Event(**(vars(e) | {"venue": AMM})) for e in DIP if e.kind == PRICE],
        [Event(**(vars(e) | {"venue": PUMP_CURVE})) for e in DIP if e.kind == PRICE],
        GRADUATED,  # no rebound
    ],
    "mean_revert_1h": [FALL, [*quiet(), trade(401, 0.97, -200), trade(410, 1.0, 200)]],
    "momentum_5m": [quiet(), [*quiet(), trade(401, 1.1, 1)], [*quiet(), trade(401, 1.1, -400)]],
    "perp_basis_arb": [
        only(PREMIUM, PRICE),
        only(PREMIUM, FUNDING),
        [*quiet(), *[funding(t, 1.03, -0.0004) for t in range(300, 400, 20)]],  # shorts pay
        [*quiet(), *[funding(t, 1.002, 0.0004) for t in range(300, 400, 20)]],
        [*quiet(), funding(395, 1.03, 0.0004)],  # the premium is too short
    ],
    "rug_pull_sniffer": [
        only(DEEPENED, PRICE),
        [*quiet(), depth(395, 50, 8050)],
        [*DEEPENED, trade(95, 0.8, -4000)],  # not calm
    ],
    "social_buzz": [
        only([*BURST, *quiet()], PRICE),
        [talk(60.0 * i, 5) for i in range(8)],
        [*BURST[:-1], talk(180, 40, -0.6)],
        [*BURST[:-1], talk(180, 40, 0.05)],
        [talk(0, 0), talk(60, 4)],
    ],
}


def test_every_family_has_sequences() -> None:
    assert set(ENTERS) == set(LEAVES) == set(LACKS) == set(FAMILIES)
    assert len(FAMILIES) == 10


@pytest.mark.parametrize("family", list(ENTERS))
def test_a_family_enters_on_its_condition(family: str) -> None:
    story, wanted = ENTERS[family]
    assert votes(family, story)[-1] == wanted


@pytest.mark.parametrize("family", list(LEAVES))
def test_a_family_leaves_when_its_condition_ends(family: str) -> None:
    assert votes(family, LEAVES[family])[-1] == SELL


@pytest.mark.parametrize(("family", "story"), [(f, story) for f, stories in LACKS.items() for story in stories])
def test_a_family_does_not_enter_without_its_condition(family: str, story: Story) -> None:
    assert not {BUY, SHORT} & set(votes(family, story))


@pytest.mark.parametrize(
    ("family", "own"),
    [
        ("airdrop_rotation", ONCHAIN),
        ("bridge_inflow", BRIDGE),
        ("dev_wallet_drain", ONCHAIN),
        ("perp_basis_arb", FUNDING),
        ("social_buzz", SOCIAL),
    ],
)
def test_a_family_votes_hold_without_its_own_kind_of_event(family: str, own: int) -> None:
    stories = [ENTERS[family][0], LEAVES[family], BREAKOUT, FALL]
    for story in stories:
        assert set(votes(family, [e for e in story if e.kind != own])) <= {HOLD}


def test_dev_wallet_drain_stays_out_for_its_quiet_time() -> None:
    drained = [*WATCHED, *steady(0, 400), onchain(401, DEV_TRANSFER, 2000)]
    bought_again = [*drained, *steady(410, 410 + 3000)]
    after = votes("dev_wallet_drain", bought_again, quiet_s=2000.0)[len(drained) :]
    assert set(after[:190]) == {SELL}
    assert BUY in after[205:]


def test_dev_wallet_drain_sums_small_transfers() -> None:
    small = [onchain(400 + i, DEV_TRANSFER, 120.0) for i in range(3)]
    assert votes("dev_wallet_drain", [*WATCHED, *steady(0, 400), *small[:2]])[-1] == HOLD
    assert votes("dev_wallet_drain", [*WATCHED, *steady(0, 400), *small])[-1] == SELL


def test_rug_pull_sniffer_leaves_on_a_cascade_and_stays_out() -> None:
    cascade = [*DEEPENED, *[trade(400 + i, 0.95 - 0.05 * i, -900, liquidity=8600 - 900 * i) for i in range(5)]]
    assert votes("rug_pull_sniffer", cascade)[-1] == SELL
    calm_again = [*cascade, depth(900, 800, 6000), trade(901, 0.7, 10, liquidity=6000)]
    assert votes("rug_pull_sniffer", calm_again, quiet_s=1800.0)[-1] == SELL
    assert votes("rug_pull_sniffer", calm_again, quiet_s=60.0, lookback_s=60.0)[-1] == BUY


def test_rug_pull_sniffer_detects_a_pull_after_a_larger_deposit() -> None:
    story = [*quiet(), depth(395, 8000, 16_000), depth(399, -4000, 12_000)]
    assert votes("rug_pull_sniffer", story)[-2:] == [BUY, SELL]


def test_bridge_inflow_compares_inflow_of_a_token_with_its_pool() -> None:
    assert votes("bridge_inflow", [*BREAKOUT, bridged(390, 4000, token=0)])[-1] == BUY
    assert votes("bridge_inflow", [*BREAKOUT, bridged(390, 4000)])[-1] != BUY


def test_korean_time_burst_supports_hours_past_midnight() -> None:
    late = [Event(**(vars(e) | {"ts": e.ts + 16 * 3600 * NS_PER_S})) for e in BREAKOUT]  # 01:00 in Korea
    assert votes("korean_time_burst", late, open_h=22.0, hours=4.0)[-1] == BUY
    assert votes("korean_time_burst", late, open_h=22.0, hours=2.0)[-1] == SELL


@pytest.mark.parametrize("reported", [[onchain(401, CURVE_COMPLETE)], [onchain(402, MIGRATION)], []])
def test_liquidity_migration_detects_a_graduation_from_any_event(reported: Story) -> None:
    assert votes("liquidity_migration", [*only(DIP, PRICE), *reported])[-1] == BUY


def test_liquidity_migration_buys_only_in_its_window() -> None:
    assert votes("liquidity_migration", DIP, settle_s=300.0)[-1] == HOLD
    late = [*GRADUATED, trade(5000, 0.85, 200, venue=PUMPSWAP)]
    assert votes("liquidity_migration", late)[-1] == HOLD


def test_perp_basis_arb_buys_a_discount_with_negative_funding() -> None:
    assert votes("perp_basis_arb", DISCOUNT)[-1] == BUY
    assert votes("perp_basis_arb", [*DISCOUNT, trade(900, 1.0, 10)])[-1] == HOLD  # the funding report is old


def test_social_buzz_does_not_chase_and_leaves_when_mentions_end() -> None:
    assert votes("social_buzz", [*BURST, trade(170, 1.0), trade(185, 1.05, 50)])[-1] == BUY
    assert votes("social_buzz", [*BURST, trade(170, 1.0), trade(185, 1.5, 900)])[-1] == HOLD
    assert votes("social_buzz", [*BURST, trade(170, 1.0), trade(1000, 1.0)])[-1] == SELL
    assert votes("social_buzz", [*BURST, talk(240, 1)])[-1] == SELL


def _number(value: float) -> str:
    return f"{value:,.10f}".rstrip("0").rstrip(".")


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_page_of_a_family_lists_its_parameters(family: str) -> None:
    page = (Path(BUNDLED).parent / "docs" / "strategies" / f"{family}.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    declared = FAMILIES[family].params.items()
    for row, (name, p) in zip(rows, declared, strict=True):
        assert row.startswith(
            f"| `{name}` | {_number(p.low)} to {_number(p.high)} | {_number(p.default)} | {p.unit} | "
        )
    headings = [line for line in page.splitlines() if line.startswith("#")]
    template = (Path(BUNDLED).parent / "docs" / "STRATEGY_TEMPLATE.md").read_text().split("\n---\n")[0]
    assert headings == [line.replace("FAMILY", family) for line in template.splitlines() if line.startswith("#")]


def test_the_template_is_a_working_strategy(tmp_path: Path) -> None:
    shutil.copy(Path(BUNDLED) / "_template.py", tmp_path / "mine.py")
    mine = discover(tmp_path)["mine"]
    values, memory = mine.make_params({}), mine.make_state()
    delivered = [*steady(0, 100), trade(101, 1.3, 500), trade(102, 0.9, -900)]
    assert [mine.on_event(values, memory, e) for e in delivered][-2:] == [BUY, SELL]
