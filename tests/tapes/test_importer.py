from pathlib import Path

import pytest

from memesnipe.errors import TapeError
from memesnipe.market.events import AMM, PUMP_CURVE, PUMPSWAP, rows
from memesnipe.market.pools import Pool, fees_of, pool_after
from memesnipe.market.pump import wallet_hash
from memesnipe.tapes.importer import import_swaps
from tests.tapes.csvs import FULL, PLAIN, RAW, RAW_ROW, TS, TS_S, write_csv

GOOD = f"{TS + 5},A,buy,1,1,40,1,amm,,2,2"


def test_the_full_plain_layout_is_read_exactly(tmp_path: Path) -> None:
    row = f"{TS},A,buy,1.5,2000000.123456,31.5,1000000000.000001,pump_curve,me,7,1"
    imported = import_swaps(write_csv(tmp_path, FULL, row), 150.0)
    event = next(rows(imported.tape.events))
    assert (event.ts, event.slot, event.side, event.venue, event.trader) == (TS, 7, 1, PUMP_CURVE, wallet_hash("me"))
    assert (event.sol_lamports, event.token_raw) == (1_500_000_000, 2_000_000_123_456)
    assert (event.pool_sol_lamports, event.pool_token_raw) == (31_500_000_000, 1_000_000_000_000_001)
    assert (event.real_sol_lamports, event.real_token_raw) == (1_500_000_000, 720_100_000_000_001)
    assert event.price_usd == pytest.approx(31.5 / 1e9 * 150.0)
    assert (event.volume_usd, event.liquidity_usd) == (pytest.approx(225.0), pytest.approx(225.0))
    assert (event.lp_fee_bps, event.protocol_fee_bps, event.creator_fee_bps) == (0, 95, 30)
    assert imported.assumed_pools == 0
    assert "pools" not in imported.tape.assumptions


def test_venues_have_their_own_reserves_and_fees(tmp_path: Path) -> None:
    lines = [f"{TS + i},A,buy,1,1000,50,1000000,{venue},,{i},{i}" for i, venue in enumerate(("pumpswap", "amm"), 1)]
    swap, amm = rows(import_swaps(write_csv(tmp_path, FULL, *lines), 100.0).tape.events)
    assert (swap.venue, amm.venue) == (PUMPSWAP, AMM)
    assert swap.real_sol_lamports == amm.pool_sol_lamports == 50 * 10**9
    assert (swap.supply_raw, swap.creator_fee_bps, amm.supply_raw) == (10**15, 30, 0)
    assert fees_of(pool_after(amm)) == (25, 0, 0)


@pytest.mark.parametrize(("pool_sol", "fees"), [(0.2, (2, 93, 30)), (0.6, (20, 5, 95)), (100.0, (20, 5, 5))])
def test_the_fees_of_pumpswap_follow_the_market_cap(tmp_path: Path, pool_sol: float, fees: tuple[int, ...]) -> None:
    path = write_csv(tmp_path, FULL, f"{TS},A,buy,0.01,1000,{pool_sol},1000000,pumpswap,,1,1")
    event = next(rows(import_swaps(path, 100.0).tape.events))
    assert fees_of(pool_after(event)) == fees


def test_the_raw_layout_is_read_exactly(tmp_path: Path) -> None:
    event = next(rows(import_swaps(write_csv(tmp_path, RAW, RAW_ROW), 100.0).tape.events))
    pool = Pool(PUMP_CURVE, 30_000_001_000, 1_072_999_999_998_000, 1000, 793_099_999_998_000, 10**15, 0, 95, 30)
    assert pool_after(event) == pool
    assert (event.ts, event.slot, event.side, event.trader) == (TS, 7, 1, wallet_hash("w"))


def test_an_empty_slot_is_read_as_0(tmp_path: Path) -> None:
    path = write_csv(tmp_path, FULL, f"{TS},A,buy,1,1,40,1,amm,,,1")
    assert next(rows(import_swaps(path, 100.0).tape.events)).slot == 0


def test_wallets_are_hashed_to_distinct_unsigned_32_bit_numbers(tmp_path: Path) -> None:
    lines = [f"{TS + i},A,buy,1,1,40,1,amm,wallet {i},1,{i}" for i in range(1, 60)]
    traders = [event.trader for event in rows(import_swaps(write_csv(tmp_path, FULL, *lines), 100.0).tape.events)]
    assert traders == [wallet_hash(f"wallet {i}") for i in range(1, 60)]
    assert len(set(traders)) == 59
    assert max(traders) > 2**31  # unsigned
    assert wallet_hash("") == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{TS},,buy,1,1,40,1,amm,,1,1", "no mint"),
        (f"{TS},{'A' * 65},buy,1,1,40,1,amm,,1,1", "mint is not an address"),
        (f"{TS},A\x1b[2J,buy,1,1,40,1,amm,,1,1", "mint is not an address"),
        (f"{TS},A,hold,1,1,40,1,amm,,1,1", "side is neither buy nor sell"),
        (f"{TS},A,short,1,1,40,1,amm,,1,1", "side is neither buy nor sell"),
        (f"{TS},A,buy,1,1,40,1,binance,,1,1", "unknown venue"),
        ("-1,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is negative"),
        ("noon,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is not a number"),
        (",A,buy,1,1,40,1,amm,,1,1", "time ts_ns is empty"),
        ("1.757e18,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is not a whole number"),
        ("99999999999999999999,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is too large"),
        ("1500000000000000000,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is before 2020, in ns"),
        ("4500000000000000000,A,buy,1,1,40,1,amm,,1,1", "time ts_ns is after tomorrow, in ns"),
        (f"{TS},A,buy,-1,1,40,1,amm,,1,1", "sol_amount is negative"),
        (f"{TS},A,buy,much,1,40,1,amm,,1,1", "sol_amount is not a number"),
        (f"{TS},A,buy,,1,40,1,amm,,1,1", "sol_amount is empty"),
        (f"{TS},A,buy,inf,1,40,1,amm,,1,1", "sol_amount is not a finite number"),
        (f"{TS},A,buy,1e30,1,40,1,amm,,1,1", "sol_amount is too large (at most 10,000,000)"),
        (f"{TS},A,buy,1,0,40,1,amm,,1,1", "token_amount is 0"),
        (f"{TS},A,buy,1,nan,40,1,amm,,1,1", "token_amount is not a finite number"),
        (f"{TS},A,buy,1,1e400,40,1,amm,,1,1", "token_amount is too large"),
        (f"{TS},A,buy,1,1,0,1,amm,,1,1", "reserve v_sol is 0"),
        (f"{TS},A,buy,1,1,40,,amm,,1,1", "reserve v_tok is empty"),
        (f"{TS},A,buy,1,1,2305843009,1,amm,,1,1", "reserve v_sol is too large (at most 10,000,000)"),
        (f"{TS},A,buy,1,1,9223372036854775808,1,amm,,1,1", "reserve v_sol is too large"),
        (f"{TS},A,buy,1,1,40,1,amm,,4294967296,1", "slot is too large (at most 4,294,967,295)"),
        (f"{TS},A,buy,1,1,40,1,amm,,late,1", "slot is not a number"),
        (f"{TS},A,buy,1,1,40,1,amm,,1", "the row has 10 fields where the header has 11"),
        (f"{TS},A,buy,1,1,40,1,amm,,1,1,more", "the row has 12 fields where the header has 11"),
        (f"{TS},A,buy,1,1,0.000000001,4000000000000,amm,,1,1", "out_of_range: price_usd is"),
    ],
)
def test_an_invalid_row_is_rejected_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    imported = import_swaps(write_csv(tmp_path, FULL, row, GOOD), 100.0)
    assert len(imported.tape.events) == 1
    assert [reason in why for why in imported.rejected] == [True], imported.rejected
    assert list(imported.rejected.values()) == [1]
    assert imported.tape.assumptions["rejected"] == imported.rejected


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        (f"{TS_S},7", "soon,7", "time block_time is not a number"),
        (f"{TS_S},7", "99999999999,7", "time block_time is after tomorrow, in s"),
        (",95,", ",,", "fee_basis_points is empty"),
        (",95,", ",70000,", "fee_basis_points is too large (at most 9,999)"),
        (",95,", ",9970,", "the fees together are 10000 bps or more"),
        (f"{TS_S},7,", f"{TS_S},-7,", "block_num is negative"),
        (",1000,793", ",plenty,793", "real_sol_reserves is not a number"),
        (",1000,793", ",-1,793", "real_sol_reserves is negative"),
        (",30000001000,", ",9223372036854775808,", "virtual_sol_reserves is too large"),
        (",true,", ",maybe,", "is_buy is neither true nor false"),
    ],
)
def test_an_invalid_raw_row_is_rejected_with_its_reason(tmp_path: Path, good: str, bad: str, reason: str) -> None:
    imported = import_swaps(write_csv(tmp_path, RAW, RAW_ROW, RAW_ROW.replace(good, bad)), 100.0)
    assert len(imported.tape.events) == 1
    assert [reason in why for why in imported.rejected] == [True], imported.rejected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([RAW.replace("wallet_address,", ""), "1"], r"lacks the column wallet_address \(its header: block_time,"),
        ([PLAIN.replace(",", " "), "1 A buy 1 1"], "has an unknown column separator, none of comma, semicolon"),
        (
            [f"{TS},A,buy,1,1", f"{TS},A,buy,1,1"],
            "has no header: its first line must name the columns ts_ns, mint,",
        ),
        ([f"{PLAIN},v_sol", f"{TS},A,buy,1,1,30"], "has only v_sol: a pool's reserves are v_sol and v_tok"),
        (
            ["time,mint,side", "1,A,buy"],
            r"lacks sol_amount and token_amount \(found: ts in time.*--map 'sol_amount=COLUMN,",
        ),
        ([""], "has no rows: it is empty"),
        ([PLAIN], "no rows"),
        ([f"{PLAIN},mint", "1"], "names the column 'mint' twice"),
        ([PLAIN, f"{TS},A,hold,1,1"], "side is neither buy nor sell"),
        ([PLAIN, f"{TS},A,buy,1,1", '2,"A'], "is not a CSV file: row 2"),
        ([PLAIN, "1,A,buy,1,1"], "ts_ns is 1: before 2020 or after tomorrow in s, ms, us and ns"),
        ([PLAIN, f"{TS},A,buy,1,1", f"{TS_S},A,buy,1,1"], "mixes units of time: row 2 in s, row 1 in ns"),
    ],
)
def test_a_file_without_usable_swaps_is_rejected(tmp_path: Path, lines: list[str], expected: str) -> None:
    with pytest.raises(TapeError, match=expected) as refused:
        import_swaps(write_csv(tmp_path, *lines), 100.0)
    assert "\n" not in str(refused.value)
    assert "swaps.csv" in str(refused.value)


@pytest.mark.parametrize(("digits", "unit"), [(0, "s"), (3, "ms"), (6, "us"), (9, "ns")])
def test_the_unit_of_time_is_derived_from_the_magnitude(tmp_path: Path, digits: int, unit: str) -> None:
    imported = import_swaps(write_csv(tmp_path, PLAIN, f"{TS_S * 10**digits},A,buy,1,20000000"), 100.0)
    assert imported.time_unit == imported.tape.assumptions["time_unit"] == unit
    assert imported.tape.events["ts"].tolist() == [TS]


def test_decimals_come_from_the_column_the_option_or_the_default(tmp_path: Path) -> None:
    path = write_csv(tmp_path, PLAIN, f"{TS},A,buy,1,20000000")
    assumed, given = (import_swaps(path, 100.0, decimals=decimals).tape for decimals in (None, 9))
    column = write_csv(tmp_path, f"{PLAIN},decimals", f"{TS},A,buy,1,20000000,9", name="c.csv")
    by_row = import_swaps(column, 100.0).tape
    assert [t.events["token_raw"][0] for t in (assumed, given, by_row)] == [2 * 10**13, 2 * 10**16, 2 * 10**16]
    assert assumed.events["price_usd"] == pytest.approx(given.events["price_usd"], rel=1e-6)
    assert given.events.tobytes() == by_row.events.tobytes()
    assert assumed.assumptions["decimals"] == {"value": 6, "assumed": True}
    assert (given.assumptions["decimals"]["assumed"], "decimals" in by_row.assumptions) == (False, False)
    with pytest.raises(TapeError, match="omit --decimals"):
        import_swaps(column, 100.0, decimals=9)


def test_rows_with_contradictory_decimals_of_a_token_are_rejected(tmp_path: Path) -> None:
    lines = [f"{TS},A,buy,1,20000000,9", f"{TS},A,buy,1,20000000,6", f"{TS},B,buy,1,20000000,6"]
    imported = import_swaps(write_csv(tmp_path, f"{PLAIN},decimals", *lines), 100.0)
    assert imported.rejected == {"decimals differ from another row of the same token": 2}
    assert imported.tape.mints == ["B"]
