"""Quotes: what one trade with a pool that someone describes comes to, by the maths of `memesnipe.market.pools`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from memesnipe.errors import InputError
from memesnipe.market.events import AMM, LAMPORTS_PER_SOL, PUMP_CURVE, PUMPSWAP, VENUE_NAMES
from memesnipe.market.pools import BPS, Pool, Quote, fees_of, moved, quote_buy, quote_buy_tokens, quote_sell

# What can be asked, and the field that says for how much.
OPS: Final = {"buy_exact_quote_in": "quote_in", "buy_exact_base_out": "base_out", "sell_exact_base_in": "base_in"}
_RESULTS: Final = ("base_out", "quote_in_total", "quote_out", "internal_quote", "fee_lamports")

# What a pump.fun curve starts with beside what can be taken out of it.
CURVE_VIRTUAL_SOL_LAMPORTS: Final = 30 * LAMPORTS_PER_SOL
CURVE_UNSOLD_RAW: Final = 279_900_000 * 10**6
CURVE_FEES_BPS: Final = {"lp_fee_bps": 0, "protocol_fee_bps": 95, "creator_fee_bps": 30}
AMM_FEE_BPS: Final = 25
LARGEST: Final = 2**63 - 1


def pool_from(row: Mapping[str, Any]) -> Pool:
    """The pool of a description: a PumpSwap pool, a curve (`v_sol`, `v_tok`) or any other (`venue`: "amm").

    Raises:
        InputError: a field is missing or wrong.
    """
    venue = row.get("venue") or (VENUE_NAMES[PUMP_CURVE] if "v_sol" in row or "v_tok" in row else VENUE_NAMES[PUMPSWAP])
    if venue == VENUE_NAMES[PUMP_CURVE]:
        return _curve(row)
    if venue == VENUE_NAMES[PUMPSWAP]:
        return _pumpswap(row)
    if venue == VENUE_NAMES[AMM]:
        quote, base = integer(row, "quote_reserve"), integer(row, "base_reserve")
        return Pool(AMM, quote, base, quote, base, lp_fee_bps=_fee_bps(row, "lp_fee_bps", AMM_FEE_BPS))
    raise InputError(f"venue is {venue!r}: must be pump_curve, pumpswap or amm")


def _curve(row: Mapping[str, Any]) -> Pool:
    sol, token = integer(row, "v_sol"), integer(row, "v_tok")
    real_sol = integer(row, "real_sol", least=0, default=sol - CURVE_VIRTUAL_SOL_LAMPORTS)
    real_token = integer(row, "real_tok", least=0, default=token - CURVE_UNSOLD_RAW)
    fees = {name: _fee_bps(row, name, default) for name, default in CURVE_FEES_BPS.items()}
    return Pool(PUMP_CURVE, sol, token, real_sol, real_token, **fees)


def _pumpswap(row: Mapping[str, Any]) -> Pool:
    base, quote = integer(row, "base_reserve"), integer(row, "quote_reserve")
    virtual = integer(row, "virtual_quote_reserves", least=0)
    has_creator = row.get("coin_creator")
    if not isinstance(has_creator, bool):
        raise InputError(f"coin_creator is {_shown(row, 'coin_creator')}: must be true or false")
    supply = integer(row, "base_supply")
    # Its fees follow from its market cap; of the creator's it only matters whether there is one.
    return Pool(PUMPSWAP, quote + virtual, base, quote, base, supply, creator_fee_bps=int(has_creator))


def integer(row: Mapping[str, Any], name: str, least: int = 1, default: int | None = None) -> int:
    """A field that is an integer, or the digits of one."""
    if name not in row and default is not None:
        if default < least:
            raise InputError(f"{name} is missing, and cannot be told from the virtual reserves: give {name}")
        return default
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
        raise InputError(f"{name} is {_shown(row, name)}: must be an integer from {least} to {LARGEST}")
    return value


def _fee_bps(row: Mapping[str, Any], name: str, default: int) -> int:
    value = integer(row, name, least=0, default=default)
    if value >= BPS:
        raise InputError(f"{name} is {value}: must be below {BPS}")
    return value


def _shown(row: Mapping[str, Any], name: str) -> str:
    return repr(row[name])[:60] if name in row else "missing"


def op_of(name: Any) -> str:
    """The name of an operation, checked."""
    if not isinstance(name, str) or name not in OPS:
        raise InputError(f"op is {name!r}: must be one of {', '.join(OPS)}")
    return name


def price(pool: Pool, op: str, amount: int) -> dict[str, Any]:
    """What one trade comes to: amounts in lamports and raw tokens, prices in lamports for a raw token.

    Raises:
        InputError: the pool gives nothing for that.
    """
    is_buy = op != "sell_exact_base_in"
    quote = _quote(pool, op, amount)
    if quote.token_raw == 0:
        raise InputError(
            f"{OPS[op]} is {amount}: the pool gives nothing for it; it has {pool.real_token_raw} raw tokens to sell"
        )
    if quote.sol_lamports + quote.fee_lamports > LARGEST:
        raise InputError(f"{OPS[op]} is {amount}: costs more lamports than the chain can count")
    sign = 1 if is_buy else -1
    after = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
    before_price, after_price = pool.sol_lamports / pool.token_raw, after.sol_lamports / after.token_raw
    return {
        "op": op,
        "venue": VENUE_NAMES[pool.venue],
        OPS[op]: amount,
        **_result(op, quote),
        "internal_quote": quote.sol_lamports,
        "fee_lamports": quote.fee_lamports,
        "fees_bps": fees_of(pool)._asdict(),
        "price_before": before_price,
        "price_after": after_price,
        "price_impact": after_price / before_price - 1.0,
    }


def _quote(pool: Pool, op: str, amount: int) -> Quote:
    if op == "buy_exact_quote_in":
        return quote_buy(pool, amount)
    return quote_buy_tokens(pool, amount) if op == "buy_exact_base_out" else quote_sell(pool, amount)


def _result(op: str, quote: Quote) -> dict[str, int]:
    if op == "buy_exact_quote_in":
        return {"base_out": quote.token_raw}
    if op == "buy_exact_base_out":
        return {"quote_in_total": quote.sol_lamports + quote.fee_lamports}
    return {"quote_out": quote.sol_lamports - quote.fee_lamports}


def quote_one(value: Any, op: str | None = None, amount: Any = None) -> dict[str, Any]:
    """Price one trade with a pool; what is not given the pool's description carries itself.

    Raises:
        InputError: something is missing or wrong.
    """
    row = _row(value)
    if op is None and "op" not in row:
        raise InputError(f"which trade? It has no op: give --op, one of {', '.join(OPS)}")
    if op is None and amount is None:
        quoted, is_expected = _price_row(row)
        return {**quoted, "mismatches": int(not is_expected)}
    op = op_of(row["op"] if op is None else op)
    if amount is None and OPS[op] not in row:
        raise InputError(f"how much? Give --amount, or {OPS[op]} in the file")
    return price(pool_from(row), op, integer(row, OPS[op]) if amount is None else integer({"amount": amount}, "amount"))


def quote_all(values: Sequence[Any]) -> dict[str, Any]:
    """Price rows that carry their pools, ops and amounts, and count those that expect another result."""
    quotes, mismatched = [], []
    for number, value in enumerate(values, start=1):
        try:
            quoted, is_expected = _price_row(_row(value))
        except InputError as error:
            raise InputError(f"row {number}: {error}") from None
        quotes.append(quoted)
        if not is_expected:
            mismatched.append(number)
    return {"quotes": quotes, "count": len(quotes), "mismatches": len(mismatched), "mismatched_rows": mismatched}


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"is {type(value).__name__}: must be an object with the fields of a pool")
    return value


def _price_row(row: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The quote, and whether it is what the row expects: of a row that expects nothing, it is."""
    op = op_of(row.get("op"))
    quoted = price(pool_from(row), op, integer(row, OPS[op]))
    expected = {name: row[name] for name in _RESULTS if name in row}
    return quoted, all(str(value) == str(quoted.get(name)) for name, value in expected.items())
