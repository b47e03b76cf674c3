"""Which tokens a post names, and what is put aside."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds import posts
from memesnipe.feeds.posts import CASHTAGS, MAX_AGE_S, Mentions, Post
from memesnipe.feeds.pumpfun.programs import PUMP, WRAPPED_SOL
from memesnipe.market.record_rules import error_of

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 10**9
FARTCOIN = "9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump"
GOAT, WIF = CASHTAGS["GOAT"], CASHTAGS["WIF"]


def the_mentions() -> Mentions:
    return Mentions(CASHTAGS, lambda: NOW_NS)


def post(text: str, identifier: str = "1", age_s: float = 3.0) -> Post:
    return Post(identifier, text, (NOW - timedelta(seconds=age_s)).isoformat())


@pytest.mark.parametrize(
    ("text", "mints"),
    [
        (f"ape into {FARTCOIN} now", [FARTCOIN]),
        (f"https://pump.fun/coin/{FARTCOIN}?ref=1", [FARTCOIN]),
        ("$wif, and $GOAT!", [WIF, GOAT]),
        (f"$WIF {FARTCOIN} $WIF {FARTCOIN}", [FARTCOIN, WIF]),
        ("$WIFTOKEN US$WIF $$WIF WIF $5 $WIF_", [WIF]),
    ],
)
def test_a_token_is_named_by_its_address_or_the_cashtag_of_a_known_one(text, mints) -> None:
    found = the_mentions().messages([post(text)])
    assert [message["mint"] for message in found] == mints
    assert [error_of(message) for message in found] == [None] * len(mints)
    assert {(m["ts"], m["mentions"], m["sentiment"]) for m in found} == {(NOW_NS, 1.0, 0.0)}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (post("gm"), "post without a token"),
        (post("$MYCOIN to the moon"), "cashtag of no known token"),
        (post(FARTCOIN[:-1] + "O"), "post without a token"),
        (post("z" * 44), "post without a token"),
        (post(f"{PUMP} {WRAPPED_SOL}"), "post without a token"),
        (post(f"x{FARTCOIN}"), "post without a token"),
        (post(" ".join(CASHTAGS.values())), "post that lists tokens"),
        (post("$WIF", age_s=MAX_AGE_S + 1), "old post"),
        (Post("1", "$WIF", "yesterday"), "post without a time"),
        (Post("1", "$WIF", "2026-11-01T12:00:00"), "post without a time"),
    ],
)
def test_other_posts_are_put_aside_with_a_reason(given, reason) -> None:
    mentions = the_mentions()
    assert mentions.messages([given]) == []
    assert mentions.put_aside == {reason: 1}


def test_a_post_counts_once() -> None:
    mentions = the_mentions()
    assert len(mentions.messages([post("$WIF"), post("$WIF"), post("$WIF", "2")])) == 2
    assert mentions.messages([post("$WIF")]) == []
    assert mentions.put_aside == {}


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "MAX_KNOWN", 2)
    mentions = the_mentions()
    mentions.remember([post("a", name) for name in ("1", "2", "3")])
    assert list(mentions._known) == ["2", "3"]
    assert mentions.knows_any([post("a", "3")])
    assert not mentions.knows_any([post("a", "1")])


@given(st.text(), st.text())
def test_no_post_raises(text: str, created: str) -> None:
    mentions = the_mentions()
    found = mentions.messages([Post("1", text, created)])
    assert bool(found) != bool(mentions.put_aside)
