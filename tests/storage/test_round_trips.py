"""Round trips are paired from trades, with all fees."""

from memesnipe.storage.round_trips import GAINED_AT_STOP, LOST_AT_TARGET, histogram, pair

SOL = 1_000_000_000


def trade(ts, side, sol, *, failure="", token=1, account="paper", reason="signal"):
    fees = {"pool_fee_lamports": 0 if failure else SOL // 100, "network_fee_lamports": SOL // 100}
    names = {"mint": f"Mint{token}", "reason": reason, "failure": failure}
    return {"ts": ts, "side": side, "account": account, "token": token, "sol_lamports": int(sol * SOL), **fees, **names}


def test_a_round_trip_is_an_entry_and_its_exit_net_of_fees():
    (found,) = pair([trade(1, "buy", 0.98), trade(2, "sell", 1.52, reason="take_profit")])
    assert (found.opened_ts, found.closed_ts, found.entry_reason, found.exit_reason) == (1, 2, "signal", "take_profit")
    assert (found.paid_sol, found.profit_sol, found.profit_ratio) == (1.0, 0.5, 0.5)


def test_an_exit_that_does_not_keep_its_promise_says_why():
    (lost,) = pair([trade(1, "buy", 0.98), trade(2, "sell", 0.95, reason="take_profit")])
    assert lost.profit_sol < 0 and lost.note == LOST_AT_TARGET
    (gained,) = pair([trade(1, "buy", 0.98), trade(2, "sell", 1.5, reason="stop_loss")])
    assert gained.note == GAINED_AT_STOP
    for sol, reason in ((1.5, "take_profit"), (0.5, "stop_loss"), (0.5, "signal")):
        assert pair([trade(1, "buy", 0.98), trade(2, "sell", sol, reason=reason)])[0].note == ""


def test_a_failed_exit_costs_its_fee():
    (found,) = pair([trade(1, "buy", 0.98), trade(2, "sell", 0, failure="slippage"), trade(3, "sell", 1.52)])
    assert found.profit_sol == 0.49


def test_failed_entries_and_exits_without_an_entry_are_left_out():
    assert pair([trade(1, "sell", 1.0), trade(2, "buy", 0, failure="slippage"), trade(3, "buy", 1.0)]) == []


def test_tokens_and_accounts_are_apart():
    mixed = [trade(1, "buy", 1), trade(2, "buy", 1, account="live"), trade(3, "buy", 1, token=2)]
    found = pair([*mixed, trade(4, "sell", 1, token=2), trade(5, "sell", 1, account="live"), trade(6, "sell", 1)])
    assert [(trip.account, trip.token) for trip in found] == [("paper", 2), ("live", 1), ("paper", 1)]


def test_a_short_is_a_round_trip():
    (found,) = pair([trade(1, "short", 0.98), trade(2, "cover", 1.22)])
    assert found.profit_ratio == 0.2


def test_the_histogram_counts_every_value_once():
    bins = histogram([-0.5, 0.0, 0.1, 0.7, 0.7], 12)
    assert sum(part["count"] for part in bins) == 5 and len(bins) == 12
    assert (bins[0]["from_ratio"], bins[-1]["count"]) == (-0.5, 2)
    assert histogram([]) == []
    assert histogram([0.3, 0.3], 2)[0]["count"] == 2
