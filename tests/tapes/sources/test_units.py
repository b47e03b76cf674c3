"""Units of amounts are derived only where the data leave no doubt."""

import re
from pathlib import Path

import pytest

from memesnipe.errors import TapeError
from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import TS_S, write_csv
from tests.tapes.sources.shapes import MINT

HEADER = "block_time,mint,side,sol_amount,token_amount"


def _import(
    folder: Path, *amounts: str, header: str = HEADER, mint: str = MINT, columns: str | None = None
) -> Imported:
    rows = [f"{TS_S + i},{mint},buy,{amount}" for i, amount in enumerate(amounts)]
    return import_swaps(write_csv(folder, header, *rows), 200.0, columns=columns)


@pytest.mark.parametrize(
    ("amounts", "units", "expected"),
    [
        (["380000069,13421332211323"], ("lamports", "raw"), (380000069, 13421332211323)),
        (["0.380000069,13421332.211323"], ("sol", "whole"), (380000069, 13421332211323)),
        (["1,13421332", "2,26842664"], ("sol", "whole"), (10**9, 13421332 * 10**6)),
        (["380000069.0,13421332211323.0"], ("lamports", "raw"), (380000069, 13421332211323)),
        (["0.5,13421332211323"], ("sol", "raw"), (5 * 10**8, 13421332211323)),
        (["380000069,13421332.25"], ("lamports", "whole"), (380000069, 13421332250000)),
        (["380000069,13421332211323"] * 40 + ["0.5,1.5"], ("lamports", "raw"), (380000069, 13421332211323)),
    ],
)
def test_amounts_of_a_plausible_price_are_read(
    tmp_path: Path, amounts: list[str], units: tuple[str, str], expected: tuple[int, int]
) -> None:
    imported = _import(tmp_path, *amounts)
    assert (imported.units["sol_amount"], imported.units["token_amount"]) == units
    event = imported.tape.events[0]
    assert (event["sol_lamports"], event["token_raw"]) == expected


@pytest.mark.parametrize(
    ("amounts", "mint", "readings"),
    [
        # Half a SOL for a million tokens, or for a single one: both exist, unless pump.fun issued the token.
        ("0.5,1000000", "A", ["sol and whole: 5e-07 SOL a token", "sol and raw: 0.5 SOL a token"]),
        # A price of 1e-10 SOL of a token with the supply of pump.fun, or of 1e-4.
        ("0.5,5000000000", MINT, ["sol and whole: 1e-10 SOL", "sol and raw: 0.0001 SOL"]),
        ("50000,20000000000", "A", ["sol and whole: 2.5e-06", "lamports and raw: 2.5e-09"]),
        ("500000.5,100000000.5", MINT, ["sol and whole: 0.005 SOL"]),
    ],
)
def test_units_in_doubt_are_refused_with_the_price_of_each_reading(
    tmp_path: Path, amounts: str, mint: str, readings: list[str]
) -> None:
    with pytest.raises(TapeError) as refused:
        _import(tmp_path, amounts, mint=mint)
    text = str(refused.value)
    assert all(reading in text for reading in readings), text
    assert "\n" not in text
    chosen = _import(tmp_path, amounts, mint=mint, columns="sol_amount=sol_amount:sol,token_amount=token_amount:whole")
    assert (chosen.units["sol_amount"], chosen.units["token_amount"]) == ("sol", "whole")


def test_the_example_of_a_refusal_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(TapeError) as refused:
        _import(tmp_path, "0.5,1000000", mint="A")
    option = re.search(r"--map '([^']+)'", str(refused.value))
    assert option is not None
    imported = _import(tmp_path, "0.5,1000000", mint="A", columns=option.group(1))
    assert imported.tape.events["token_raw"].tolist() == [10**12]


@pytest.mark.parametrize(
    ("reserves", "units"),
    [("30380000069,1059578667788677", ("lamports", "raw")), ("30.380000069,1059578667.788677", ("sol", "whole"))],
)
def test_reserves_have_units_of_their_own(tmp_path: Path, reserves: str, units: tuple[str, str]) -> None:
    header = f"{HEADER},virtual_sol_reserves,virtual_token_reserves"
    imported = _import(tmp_path, f"0.380000069,13421332.211323,{reserves}", header=header)
    assert (imported.units["v_sol"], imported.units["v_tok"]) == units
    event = imported.tape.events[0]
    assert (event["pool_sol_lamports"], event["pool_token_raw"]) == (30380000069, 1059578667788677)
    assert imported.assumed_pools == 0


def test_reserves_at_another_price_than_the_trade_are_refused(tmp_path: Path) -> None:
    header = f"{HEADER},v_sol,v_tok"
    with pytest.raises(TapeError, match="does not say the unit of v_sol and v_tok"):
        _import(tmp_path, "0.380000069,13421332.211323,31000000000,7", header=header)
