"""A layout: which columns identify a source of swaps, and from which column, in which unit, each field is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TIME_UNITS: Final = ("s", "ms", "us", "ns", "iso")
SOL_UNITS: Final = ("sol", "lamports")
TOKEN_UNITS: Final = ("whole", "raw")
SIDE_UNITS: Final = ("word", "is_buy", "sign", "-sign")
PRICE_UNITS: Final = ("usd", "sol")
VOLUME_UNITS: Final = ("usd", "sol", "whole")

# The fields that `--map` can set, with the units that each may have.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "ts": TIME_UNITS, "mint": (), "side": SIDE_UNITS, "sol_amount": SOL_UNITS, "token_amount": TOKEN_UNITS,
    "bought_mint": (), "sold_mint": (), "bought_amount": TOKEN_UNITS, "sold_amount": TOKEN_UNITS,
    "open": PRICE_UNITS, "high": PRICE_UNITS, "low": PRICE_UNITS, "close": PRICE_UNITS, "volume": VOLUME_UNITS,
    "v_sol": SOL_UNITS, "v_tok": TOKEN_UNITS, "venue": (), "trader": (), "slot": (), "seq": (), "decimals": (),
    "quote": (), "signature": (), "position": (),
}  # fmt: skip
CONSTANTS: Final = ("mint", "venue", "decimals", "trader", "side")  # fields that may be the same for all rows

PRICES: Final = ("open", "low", "high", "close")  # of a candle that rises, in the order of its trades
SWAPS: Final = ("ts", "mint", "side", "sol_amount", "token_amount")
TWO_SIDED: Final = ("ts", "bought_mint", "sold_mint", "bought_amount", "sold_amount")
CANDLES: Final = ("ts", "mint", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Source:
    """A column of the file and its unit ("" if the data must show it), or a constant of all rows."""

    column: str
    unit: str = ""
    constant: str = ""

    def __str__(self) -> str:
        name = f"@{self.constant}" if self.constant else self.column
        return f"{name}:{self.unit}" if self.unit else name


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout of columns.

    Attributes:
        name: shown to the user.
        columns: lower-case names that all must be present; nested names of JSON are joined with points.
        fields: the sources of each field; of several the first with a value counts in each row, and those in
            another unit than the first are ignored.
        order: columns that together number the trades of a slot.
        position: columns that together number the trades of a transaction.
        other_venues_are_amms: whether a venue that is neither pump.fun nor PumpSwap is an automated market maker.
        refusal: why no file of this layout can be imported; "" if it can.
    """

    name: str
    columns: tuple[str, ...]
    fields: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    position: tuple[str, ...] = ()
    other_venues_are_amms: bool = False
    refusal: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that a file of this layout must have."""
        if "open" in self.fields:
            return CANDLES
        return TWO_SIDED if "bought_mint" in self.fields else SWAPS


def one_of(*names: str, unit: str = "") -> tuple[Source, ...]:
    """Return the sources of a field that may have several columns, all in one unit."""
    return tuple(Source(name, unit) for name in names)
