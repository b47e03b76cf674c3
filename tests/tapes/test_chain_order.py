from random import Random

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.tapes.chain_order import chain_order

# (slot step, mint, SOL that the trade moves: above 0 for a buy)
TRADES = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from("AB"), st.integers(-(10**6), 10**6).filter(bool)),
    min_size=1,
    max_size=25,
)


def _chain(trades: list[tuple[int, str, int]]) -> pd.DataFrame:
    """Return trades in chain order; the pool never returns to an earlier state, so that the order is unique."""
    pools: dict[str, int] = {"A": 10**12, "B": 2 * 10**12}
    seen: set[tuple[str, int]] = set(pools.items())
    rows, slot = [], 100
    for step, mint, amount in trades:
        slot, sol = slot + step, amount
        while (mint, pools[mint] + sol) in seen:
            sol += 1 if sol > 0 else -1
        pools[mint] += sol
        seen.add((mint, pools[mint]))
        side = 1 if sol > 0 else -1
        rows.append((slot * 1000, slot, mint, side, abs(sol), pools[mint]))
    return pd.DataFrame(rows, columns=["ts", "slot", "mint", "side", "sol_lamports", "pool_sol_lamports"])


@given(TRADES, st.randoms(use_true_random=False))
def test_shuffled_trades_are_restored_to_chain_order(trades: list[tuple[int, str, int]], random: Random) -> None:
    chain = _chain(trades)
    positions = list(range(len(chain)))
    random.shuffle(positions)
    shuffled = chain.iloc[positions].reset_index(drop=True)
    ordered = shuffled.iloc[chain_order(shuffled)]
    for mint in "AB":
        restored, original = (f[f.mint == mint].to_numpy().tolist() for f in (ordered, chain))
        assert restored == original


@given(TRADES, st.randoms(use_true_random=False), st.sets(st.integers(0, 24)))
def test_every_row_is_kept_once_if_trades_are_missing(
    trades: list[tuple[int, str, int]], random: Random, missing: set[int]
) -> None:
    chain = _chain(trades).drop(index=list(missing), errors="ignore")
    shuffled = chain.sample(frac=1.0, random_state=random.randrange(2**31)).reset_index(drop=True)
    order = chain_order(shuffled)
    assert sorted(order) == list(range(len(shuffled)))
    assert shuffled.slot.iloc[order].is_monotonic_increasing


def test_numbered_rows_are_ordered_by_number_inside_a_slot() -> None:
    swaps = _chain([(0, "A", 5), (0, "A", 6), (1, "B", 7)]).assign(seq=[9, 3, 1])
    assert chain_order(swaps).tolist() == [1, 0, 2]


def test_trades_without_a_slot_are_ordered_by_time() -> None:
    swaps = _chain([(1, "A", 5), (1, "B", 6), (1, "A", 7)]).assign(slot=0).iloc[::-1].reset_index(drop=True)
    assert chain_order(swaps).tolist() == [2, 1, 0]


def test_a_circular_slot_begins_where_the_previous_slot_ended() -> None:
    chain = _chain([(0, "A", 5), (1, "A", 10)])
    end = chain.pool_sol_lamports[1]
    back = pd.DataFrame([(101_000, 101, "A", -1, 10, end - 10)], columns=chain.columns)
    given_order = pd.concat([back, chain.iloc[[1, 0]]], ignore_index=True)
    assert chain_order(given_order).tolist() == [2, 1, 0]
