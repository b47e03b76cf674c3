"""Shared data of the import tests: layouts of columns, and files of rows."""

from pathlib import Path

from memesnipe.market.events import NS_PER_S

TS_S = 1_757_782_395  # 2025-09-13
TS = TS_S * NS_PER_S
PLAIN = "ts_ns,mint,side,sol_amount,token_amount"
FULL = f"{PLAIN},v_sol,v_tok,venue,trader,slot,seq"
RAW = (
    "block_time,block_num,token_address,wallet_address,is_buy,amount_in_sol,amount_in_token,virtual_sol_reserves,"
    "virtual_token_reserves,real_sol_reserves,real_token_reserves,fee_basis_points,creator_fee_basis_points"
)
RAW_ROW = f"{TS_S},7,A,w,true,1000,2000,30000001000,1072999999998000,1000,793099999998000,95,30"
SHARED = Path(__file__).resolve().parents[3] / "shared/data"


def write_csv(folder: Path, *lines: str, name: str = "swaps.csv") -> Path:
    """Write a file of these lines; return its path."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path
