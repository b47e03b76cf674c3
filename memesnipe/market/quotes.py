"""Quotes: one trade with a pool described by the user, priced by `memesnipe.market.pools`.

The limits of a description are those of an event: `memesnipe.market.plausible`.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from memesnipe.errors import InputError
from memesnipe.market.events import AMM, LAMPORTS_PER_SOL, PUMP_CURVE, PUMPSWAP, VENUE_NAMES
from memesnipe.market.plausible import MAX_LAMPORTS, MAX_RAW
from memesnipe.market.pools import BPS, Pool, Quote, fees_of, moved, quote_buy, quote_buy_tokens, quote_sell

# The operations, and the field of each one's amount.
OPS: Final = {"buy_exact_quote_in": "quote_in", "buy_exact_base_out": "base_out", "sell_exact_base_in": "base_in"}
_RESULTS: Final = ("base_out", "quote_in_total", "quote_out", "internal_quote", "fee_lamports")

# The virtual part of a pump.fun curve's reserves.
CURVE_VIRTUAL_SOL_LAMPORTS: Final = 30 * LAMPORTS_PER_SOL
CURVE_UNSOLD_RAW: Final = 279_900_000 * 10**6
CURVE_FEES_BPS: Final = {"lp_fee_bps": 0, "protocol_fee_bps": 95, "creator_fee_bps": 30}
AMM_FEE_BPS: Final = 25
MAX_INT: Final = 2**63 - 1

# Maximum of every field: lamports, raw tokens or basis points.
MAX_VALUES: Final = {
    **dict.fromkeys(("quote_reserve", "virtual_quote_reserves", "v_sol", "real_sol", "quote_in"), MAX_LAMPORTS),
    **dict.fromkeys(("base_reserve", "base_supply", "v_tok", "real_tok", "base_in", "base_out"), MAX_RAW),
    **dict.fromkeys(("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"), BPS - 1),
}
_OTHERS: Final = ("venue", "coin_creator", "op", *_RESULTS)
_SHOWN: Final = 60  # characters of a wrong value in a message


def pool_from(row: Mapping[str, Any]) -> Pool:
    """Return the pool of a description: a PumpSwap pool, a curve (`v_sol`, `v_tok`) or any other (`venue`: "amm").

    Raises:
        InputError: a field is missing or wrong.
    """
    _check_names(row)
    venue = row.get("venue") or (VENUE_NAMES[PUMP_CURVE] if "v_sol" in row or "v_tok" in row else VENUE_NAMES[PUMPSWAP])
    if venue == VENUE_NAMES[PUMP_CURVE]:
        return _curve(row)
    if venue == VENUE_NAMES[PUMPSWAP]:
        return _pumpswap(row)
    if venue == VENUE_NAMES[AMM]:
        quote, base = integer(row, "quote_reserve"), integer(row, "base_reserve")
        return Pool(AMM, quote, base, quote, base, lp_fee_bps=_fee_bps(row, "lp_fee_bps", AMM_FEE_BPS))
    raise InputError(f"venue is {_shown(row, 'venue')}: must be pump_curve, pumpswap or amm")


def _check_names(row: Mapping[str, Any]) -> None:
    """Reject a misspelled field name, which would otherwise count as a missing field; other names are allowed."""
    known = [*MAX_VALUES, *_OTHERS]
    for name in row:
        near = [] if name in known else get_close_matches(name, known, 1, 0.8)
        if near:
            raise InputError(f"there is no field {ascii(name)[1:-1][:_SHOWN]}; did you mean {near[0]}?")


def _curve(row: Mapping[str, Any]) -> Pool:
    sol, token = integer(row, "v_sol"), integer(row, "v_tok")
    real_sol = integer(row, "real_sol", minimum=0, default=sol - CURVE_VIRTUAL_SOL_LAMPORTS)
    real_token = integer(row, "real_tok", minimum=0, default=token - CURVE_UNSOLD_RAW)
    for name, real, virtual in (("real_sol", real_sol, sol), ("real_tok", real_token, token)):
        if real > virtual:
            raise InputError(f"{name} is {real}: must be at most {virtual}, the curve's reserve with its virtual part")
    fees = {name: _fee_bps(row, name, default) for name, default in CURVE_FEES_BPS.items()}
    return Pool(PUMP_CURVE, sol, token, real_sol, real_token, **fees)


def _pumpswap(row: Mapping[str, Any]) -> Pool:
    base, quote = integer(row, "base_reserve"), integer(row, "quote_reserve")
    virtual = integer(row, "virtual_quote_reserves", minimum=0)
    if quote + virtual > MAX_LAMPORTS:
        raise InputError(
            f"quote_reserve and virtual_quote_reserves are {quote + virtual}: at most {MAX_LAMPORTS} in all"
        )
    has_creator = row.get("coin_creator")
    if not isinstance(has_creator, bool):
        reason = f"is {_shown(row, 'coin_creator')}" if "coin_creator" in row else "is missing"
        raise InputError(f"coin_creator {reason}: must be true or false")
    supply = integer(row, "base_supply")
    if base > supply:
        raise InputError(f"base_reserve is {base}: must be at most base_supply, {supply}")
    # The market cap determines the fees; of the creator's fee only its existence matters.
    return Pool(PUMPSWAP, quote + virtual, base, quote, base, supply, creator_fee_bps=int(has_creator))


def integer(row: Mapping[str, Any], name: str, minimum: int = 1, default: int | None = None) -> int:
    """Return a field that is an integer, or a text of its digits, within ``minimum`` and `MAX_VALUES`.

    Raises:
        InputError: the field is missing, not an integer, too small or too large.
    """
    return _within(row, name, minimum, MAX_VALUES[name], default)


def _within(row: Mapping[str, Any], name: str, minimum: int, maximum: int, default: int | None = None) -> int:
    if name not in row:
        if default is None:
            raise InputError(f"{name} is missing")
        if default < minimum:
            raise InputError(f"{name} is missing, and cannot be derived from the virtual reserves: give {name}")
        return default
    value = row[name]
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        digits = value.lstrip("-0") or "0"
        # More digits than any limit: replace by an out-of-range value, because parsing thousands of digits is slow.
        value = int(value) if len(digits) <= len(str(MAX_INT)) else (minimum - 1 if value[0] == "-" else maximum + 1)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name} is {_shown(row, name)}: must be an integer, or a text of its digits")
    if value < minimum:
        raise InputError(f"{name} is {_shown(row, name)}: is too small, it must be at least {minimum}")
    if value > maximum:
        raise InputError(f"{name} is {_shown(row, name)}: is too large, it must be at most {maximum}")
    return value


def _fee_bps(row: Mapping[str, Any], name: str, default: int) -> int:
    return integer(row, name, minimum=0, default=default)


def _shown(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    # Python refuses to convert an integer of thousands of digits to text.
    text = (
        f"an integer of {value.bit_length()} bits" if isinstance(value, int) and abs(value) > 10**99 else ascii(value)
    )
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def op_of(name: Any) -> str:
    """Return the validated name of an operation."""
    if not isinstance(name, str) or name not in OPS:
        raise InputError(f"op is {_shown({'op': name}, 'op')}: must be one of {', '.join(OPS)}")
    return name


def price(pool: Pool, op: str, amount: int) -> dict[str, Any]:
    """Price one trade: amounts in lamports and raw tokens, prices in lamports per raw token.

    Raises:
        InputError: the trade is impossible or exceeds `MAX_LAMPORTS`.
    """
    is_buy = op != "sell_exact_base_in"
    quote = _quote(pool, op, amount)
    if quote.token_raw == 0:
        raise InputError(
            f"{OPS[op]} is {amount}: the pool gives nothing for it; it has {pool.real_token_raw} raw tokens to sell"
        )
    if quote.sol_lamports + quote.fee_lamports > MAX_LAMPORTS:
        raise InputError(f"{OPS[op]} is {amount}: exceeds the maximum of {MAX_LAMPORTS} lamports")
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
    """Price one trade with a pool; ``op`` and ``amount`` default to those of the description.

    Raises:
        InputError: a field is missing or wrong.
    """
    row = _row(value)
    if op is None and "op" not in row:
        raise InputError(f"op is missing: give --op, one of {', '.join(OPS)}")
    if op is None and amount is None:
        quoted, is_expected = _price_row(row)
        return quoted if is_expected is None else {**quoted, "mismatches": int(not is_expected)}
    op = op_of(row["op"] if op is None else op)
    if amount is None and OPS[op] not in row:
        raise InputError(f"the amount is missing: give --amount, or {OPS[op]} in the file")
    if amount is None:
        return price(pool_from(row), op, integer(row, OPS[op]))
    return price(pool_from(row), op, _within({"amount": amount}, "amount", 1, MAX_VALUES[OPS[op]]))


def quote_all(values: Sequence[Any]) -> dict[str, Any]:
    """Price rows with pools, ops and amounts; compare the rows that include expected results.

    Raises:
        InputError: there is no row, or a field of a row is missing or wrong.
    """
    if not values:
        raise InputError("is an empty list: there is no row to price")
    quotes, compared, mismatched = [], 0, []
    for number, value in enumerate(values, start=1):
        try:
            quoted, is_expected = _price_row(_row(value))
        except InputError as error:
            raise InputError(f"row {number}: {error}") from None
        quotes.append(quoted)
        compared += is_expected is not None
        if is_expected is False:
            mismatched.append(number)
    return {
        "quotes": quotes, "count": len(quotes), "compared": compared, "mismatches": len(mismatched),
        "mismatched_rows": mismatched,
    }  # fmt: skip


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"is {_kind(value)}: must be an object with the fields of a pool")
    return value


def _price_row(row: Mapping[str, Any]) -> tuple[dict[str, Any], bool | None]:
    """Return the quote, and whether it equals the row's expected results; None if it has none."""
    op = op_of(row.get("op"))
    quoted = price(pool_from(row), op, integer(row, OPS[op]))
    expected = {name: row[name] for name in _RESULTS if name in row and name != OPS[op]}
    is_expected = all(str(value) == str(quoted.get(name)) for name, value in expected.items())
    return quoted, is_expected if expected else None
