import gzip
from pathlib import Path

import pytest

from memesnipe.errors import TapeError
from memesnipe.market.events import AMM, PUMP_CURVE, PUMPSWAP, rows
from memesnipe.market.pools import Pool, fees_of, pool_after, quote_sell
from memesnipe.market.swaps import import_swaps, wallet_hash

PLAIN = "ts_ns,mint,side,sol_amount,token_amount"
FULL = f"{PLAIN},v_sol,v_tok,venue,trader,slot,seq"
RAW = (
    "block_time,block_num,token_address,wallet_address,is_buy,amount_in_sol,amount_in_token,virtual_sol_reserves,"
    "virtual_token_reserves,real_sol_reserves,real_token_reserves,fee_basis_points,creator_fee_basis_points"
)
RAW_ROW = "100,7,A,w,true,1000,2000,30000001000,1072999999998000,1000,793099999998000,95,30"


@pytest.fixture
def csv(tmp_path: Path):
    def write(*lines: str) -> Path:
        (tmp_path / "swaps.csv").write_text("\n".join(lines) + "\n")
        return tmp_path / "swaps.csv"

    return write


def test_the_full_plain_layout_is_read_exactly(csv) -> None:
    path = csv(FULL, "1000,A,buy,1.5,2000000.123456,31.5,1000000000.000001,pump_curve,me,7,1")
    imported = import_swaps(path, 150.0)
    event = next(rows(imported.tape.events))
    assert (event.ts, event.slot, event.side, event.venue, event.trader) == (1000, 7, 1, PUMP_CURVE, wallet_hash("me"))
    assert (event.sol_lamports, event.token_raw) == (1_500_000_000, 2_000_000_123_456)
    assert (event.pool_sol_lamports, event.pool_token_raw) == (31_500_000_000, 1_000_000_000_000_001)
    assert (event.real_sol_lamports, event.real_token_raw) == (1_500_000_000, 720_100_000_000_001)
    assert event.price_usd == pytest.approx(31.5 / 1e9 * 150.0)
    assert (event.volume_usd, event.liquidity_usd) == (pytest.approx(225.0), pytest.approx(225.0))
    assert (event.lp_fee_bps, event.protocol_fee_bps, event.creator_fee_bps) == (0, 95, 30)
    assert imported.assumed_pools == 0


def test_without_reserves_a_pool_at_the_trades_price_is_assumed_and_said(csv) -> None:
    imported = import_swaps(csv(PLAIN, "1,A,buy,1,20000000", "2,B,sell,2,20000000", "3,A,buy,1,20000000"), 100.0)
    assert imported.assumed_pools == 2
    for event, price in zip(rows(imported.tape.events), (5e-6, 1e-5, 5e-6), strict=True):
        assert event.price_usd == pytest.approx(price, rel=1e-6)
        assert quote_sell(pool_after(event), 10**6).sol_lamports > 0


def test_venues_have_their_own_reserves_and_fees(csv) -> None:
    lines = [f"{i},A,buy,1,1000,50,1000000,{venue},,{i},{i}" for i, venue in enumerate(("pumpswap", "amm"), 1)]
    swap, amm = rows(import_swaps(csv(FULL, *lines), 100.0).tape.events)
    assert (swap.venue, amm.venue) == (PUMPSWAP, AMM)
    assert swap.real_sol_lamports == amm.pool_sol_lamports == 50 * 10**9
    assert (swap.supply_raw, swap.creator_fee_bps, amm.supply_raw) == (10**15, 30, 0)
    assert fees_of(pool_after(amm)) == (25, 0, 0)


@pytest.mark.parametrize(("pool_sol", "fees"), [(0.2, (2, 93, 30)), (0.6, (20, 5, 95)), (100.0, (20, 5, 5))])
def test_the_fees_of_pumpswap_follow_the_market_cap(csv, pool_sol: float, fees: tuple[int, int, int]) -> None:
    path = csv(FULL, f"1,A,buy,0.01,1000,{pool_sol},1000000,pumpswap,,1,1")
    event = next(rows(import_swaps(path, 100.0).tape.events))
    assert fees_of(pool_after(event)) == fees


def test_the_raw_layout_is_read_exactly(csv) -> None:
    event = next(rows(import_swaps(csv(RAW, RAW_ROW), 100.0).tape.events))
    pool = Pool(PUMP_CURVE, 30_000_001_000, 1_072_999_999_998_000, 1000, 793_099_999_998_000, 10**15, 0, 95, 30)
    assert pool_after(event) == pool
    assert (event.ts, event.slot, event.side, event.trader) == (100 * 10**9, 7, 1, wallet_hash("w"))


def test_a_slot_that_is_not_given_is_slot_0(csv) -> None:
    assert next(rows(import_swaps(csv(FULL, "1,A,buy,1,1,40,1,amm,,,1"), 100.0).tape.events)).slot == 0


def test_wallets_are_told_apart_by_numbers_that_their_field_holds(csv) -> None:
    lines = [f"{i},A,buy,1,1,40,1,amm,wallet {i},1,{i}" for i in range(1, 60)]
    traders = [event.trader for event in rows(import_swaps(csv(FULL, *lines), 100.0).tape.events)]
    assert traders == [wallet_hash(f"wallet {i}") for i in range(1, 60)]
    assert len(set(traders)) == 59
    assert max(traders) > 2**31  # unsigned
    assert wallet_hash("") == 0


def test_rows_are_put_into_the_order_of_slot_and_number(csv) -> None:
    lines = [
        f"{slot * 10},A,buy,1,1000,{50 + n},1000000,amm,,{slot},{n}" for slot, n in ((2, 3), (1, 2), (1, 1), (2, 1))
    ]
    tape = import_swaps(csv(FULL, *lines), 100.0).tape
    assert [(e.slot, e.pool_sol_lamports // 10**9) for e in rows(tape.events)] == [(1, 51), (1, 52), (2, 51), (2, 53)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,buy,1,1,40,1,amm,,1,1", "no mint"),
        ("1,A,hold,1,1,40,1,amm,,1,1", "side"),
        ("1,A,buy,1,1,40,1,binance,,1,1", "venue"),
        ("-1,A,buy,1,1,40,1,amm,,1,1", "time"),
        ("noon,A,buy,1,1,40,1,amm,,1,1", "time"),
        ("99999999999999999999,A,buy,1,1,40,1,amm,,1,1", "time"),
        ("1,A,buy,-1,1,40,1,amm,,1,1", "amount"),
        ("1,A,buy,much,1,40,1,amm,,1,1", "amount"),
        ("1,A,buy,inf,1,40,1,amm,,1,1", "amount"),
        ("1,A,buy,1e30,1,40,1,amm,,1,1", "amount"),
        ("1,A,buy,1,0,40,1,amm,,1,1", "amount"),
        ("1,A,buy,1,nan,40,1,amm,,1,1", "amount"),
        ("1,A,buy,1,1,0,1,amm,,1,1", "reserve"),
        ("1,A,buy,1,1,40,,amm,,1,1", "reserve"),
        ("1,A,short,1,1,40,1,amm,,1,1", "side"),
        ("1,A,cover,1,1,40,1,amm,,1,1", "side"),
        ("1,A,buy,1,1,40,1,amm,,4294967296,1", "slot"),
        ("1,A,buy,1,1,40,1,amm,,late,1", "slot"),
    ],
)
def test_a_bad_row_is_put_aside_with_its_reason(csv, row: str, reason: str) -> None:
    imported = import_swaps(csv(FULL, row, "5,A,buy,1,1,40,1,amm,,2,2"), 100.0)
    assert len(imported.tape.events) == 1
    assert [reason in why for why in imported.rejected] == [True]
    assert list(imported.rejected.values()) == [1]


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("100,7", "soon,7", "time"),
        ("100,7", "99999999999,7", "time"),
        (",95,", ",,", "fee"),
        (",95,", ",70000,", "fee"),
        (",95,", ",9970,", "fee"),
        ("100,7,", "100,-7,", "slot"),
    ],
)
def test_a_bad_raw_row_is_put_aside_with_its_reason(csv, good: str, bad: str, reason: str) -> None:
    imported = import_swaps(csv(RAW, RAW_ROW, RAW_ROW.replace(good, bad)), 100.0)
    assert len(imported.tape.events) == 1
    assert [reason in why for why in imported.rejected] == [True]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["time,mint,side", "1,A,buy"], "lacks the columns ts_ns, sol_amount, token_amount"),
        ([""], "is not a CSV file"),
        ([PLAIN], "no rows"),
        ([PLAIN, "1,A,hold,1,1"], "side is neither buy nor sell"),
        ([PLAIN, "1,A,buy,1,1,1,1,1,1", '2,"A'], "is not a CSV file"),
    ],
)
def test_a_file_without_a_usable_swap_is_refused_in_one_line(csv, lines: list[str], says: str) -> None:
    with pytest.raises(TapeError, match=says) as refused:
        import_swaps(csv(*lines), 100.0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["swaps.csv", "swaps.csv.gz"])
def test_a_file_that_is_no_csv_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    with pytest.raises(TapeError) as refused:
        import_swaps(tmp_path / name, 100.0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spoil", [lambda b: b[:-20], lambda b: b[:30] + b"\xff" * 30 + b[60:]])
def test_a_spoilt_gzip_file_is_refused(tmp_path: Path, spoil) -> None:
    lines = [PLAIN, *(f"{i},A{i * 7919 % 1000},buy,{i}.5,{i * 31}" for i in range(1, 400))]
    (tmp_path / "a.csv.gz").write_bytes(spoil(gzip.compress("\n".join(lines).encode())))
    with pytest.raises(TapeError):
        import_swaps(tmp_path / "a.csv.gz", 100.0)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no file"):
        import_swaps(tmp_path / "none.csv", 100.0)
