"""Words of sides and venues, in the form of the plain layout."""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_BUY: Final = frozenset({"buy", "b", "bought", "1", "+1"})
_SELL: Final = frozenset({"sell", "s", "sold", "-1"})
_IS_BUY: Final = {
    "true": "buy",
    "t": "buy",
    "yes": "buy",
    "1": "buy",
    "false": "sell",
    "f": "sell",
    "no": "sell",
    "0": "sell",
}
_CURVES: Final = frozenset({"pump", "pumpfun", "pumpdotfun", "pumpcurve", "bondingcurve", "pumpfunbondingcurve"})
_SWAPS: Final = frozenset({"pumpswap", "pumpamm", "pumpfunamm", "pumpdotfunamm", "pumpfunpumpswap"})
_AMMS: Final = (
    "amm", "raydium", "orca", "whirlpool", "meteora", "lifinity", "phoenix", "fluxbeam", "launchlab", "bonk",
    "moonshot",
)  # fmt: skip


def sides(column: Any, unit: str) -> Any:
    """Return a column of sides as "buy" and "sell", "" for any other word.

    Args:
        column: words; or whether it is a purchase for the unit "is_buy"; or numbers that are positive for a purchase
            ("sign") or negative for one ("-sign").
        unit: one of the units of a side.
    """
    if unit in {"sign", "-sign"}:
        buy, sell = ("buy", "sell") if unit == "sign" else ("sell", "buy")
        has_sign = pc.match_substring_regex(column, r"^[+-]?[0-9.]*[1-9][0-9.]*([eE][+-]?[0-9]+)?$")
        return pc.if_else(has_sign, pc.if_else(pc.match_substring_regex(column, "^-"), sell, buy), "")
    return translated(column, _is_buy if unit == "is_buy" else _side)


def venues(column: Any, others_are_amms: bool) -> Any:
    """Return a column of names of venues as those of the plain layout; unknown ones are unchanged."""

    def venue(name: str) -> str:
        word = "".join(filter(str.isalnum, name.lower()))
        if word in _CURVES:
            return "pump_curve"
        if word in _SWAPS:
            return "pumpswap"
        return "amm" if word and (others_are_amms or word.startswith(_AMMS)) else name

    return translated(column, venue)


def read_as_amms(column: Any, others_are_amms: bool) -> dict[str, int]:
    """Return the number of rows of each name of a venue that `venues` reads as an automated market maker."""
    read = venues(column, others_are_amms)
    is_amm = pc.and_(pc.equal(read, "amm"), pc.not_equal(pc.utf8_lower(column), "amm"))
    counts = pc.value_counts(pc.filter(column, is_amm)).to_pylist()
    return {count["values"]: count["counts"] for count in sorted(counts, key=lambda count: -count["counts"])}


def translated(column: Any, word: Any) -> Any:
    """Return a column with every distinct string replaced by the result of a function."""
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    words = pa.array([word(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def _side(word: str) -> str:
    lower = word.lower()
    return "buy" if lower in _BUY | {"create"} else "sell" if lower in _SELL else ""


def _is_buy(word: str) -> str:
    return _IS_BUY.get(word.lower(), "")
