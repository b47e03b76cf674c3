"""The client: a method for each route, with the models that the API itself declares."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal, Self, TypedDict, TypeVar, Unpack, cast
from urllib.parse import quote

from pydantic import TypeAdapter

from memesnipe.api import schemas, schemas_details, schemas_evolution
from memesnipe.client.transport import Transport, read
from memesnipe.errors import InputError, printable

T = TypeVar("T")
AccountName = Literal["paper", "live"]

_PAGE: Final = 500  # rows of a request
_TOTAL: Final = "X-Total-Count"


class TradeChoice(TypedDict, total=False):
    """Which trades or refusals are wanted; `until_ts` is exclusive, both times are nanoseconds of event time."""

    account: AccountName
    spec_id: str
    mint: str
    side: Literal["buy", "sell", "short", "cover"]
    reason: str
    since_ts: int
    until_ts: int


class StrategyChoice(TypedDict, total=False):
    """Which strategies are wanted, and in which order (docs/api.md)."""

    mode: schemas.Mode
    family: str
    evidence: str
    search: str
    ids: str
    sort: str
    order: Literal["desc", "asc"]


class Client:
    """Ask the API of a running system; every list is an iterator over all of its pages.

    Args:
        url: of the dashboard.
        token_file: needed for commands, and from another machine for reads too; None sends no token.
        timeout_s: for the connection, and for each read.

    Raises:
        InputError: the URL is none, or the token file is not readable by its owner alone. Every method can raise the
            errors of `memesnipe.client.errors`.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8080", *, token_file: str | Path | None = None, timeout_s: float = 10.0
    ) -> None:
        self._transport = Transport(url, None if token_file is None else Path(token_file), timeout_s)
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def health(self) -> schemas.Health:
        """Return the health of the system, also while it is unhealthy."""
        accepted = (int(HTTPStatus.OK), int(HTTPStatus.SERVICE_UNAVAILABLE))
        return cast("schemas.Health", read(_type(schemas.Health), self._transport.get("health", {}, accepted)))

    def report(self) -> schemas.Report:
        """Return the figures of the newest run."""
        return self._one(schemas.Report, "report")

    def learned(self) -> schemas_details.Learned:
        """Return what the newest run has learned."""
        return self._one(schemas_details.Learned, "learned")

    def portfolio(self, account: AccountName = "paper") -> schemas.Portfolio:
        """Return equity, cash and drawdown of an account."""
        return self._one(schemas.Portfolio, "portfolio", account=account)

    def risk(self, account: AccountName = "paper") -> schemas.Risk:
        """Return the circuit breaker of an account."""
        return self._one(schemas.Risk, "risk", account=account)

    def equity(self, account: AccountName = "paper", points: int = 600) -> schemas_details.Equity:
        """Return the equity of an account over time, in about so many points."""
        return self._one(schemas_details.Equity, "equity", account=account, points=points)

    def settings(self) -> schemas_details.RunSettings:
        """Return the settings of the newest run that decide its results."""
        return self._one(schemas_details.RunSettings, "settings")

    def families(self) -> list[schemas_details.Family]:
        """Return the families of signals with their strategies and capital."""
        return self._rows(schemas_details.Family, "families")

    def strategies(self, *, page_size: int = _PAGE, **chosen: Unpack[StrategyChoice]) -> Iterator[schemas.Strategy]:
        """Yield strategies; those on paper first, unless `sort` says otherwise."""
        return self._pages(schemas.Strategy, "strategies", chosen, page_size, appended=False)

    def strategy(self, spec_id: str) -> schemas_details.StrategyPage:
        """Return all that is known of one strategy."""
        return self._one(schemas_details.StrategyPage, f"strategies/{_part(spec_id)}")

    def genome(self, spec_id: str) -> dict[str, Any]:
        """Return a strategy's specification, which `memesnipe backtest --spec` reads."""
        return self._one(dict[str, Any], f"strategies/{_part(spec_id)}/spec")

    def lifecycle(self, limit: int = 100) -> list[schemas.LifecycleChange]:
        """Return promotions, demotions and retirements, the newest first."""
        return self._rows(schemas.LifecycleChange, "lifecycle", limit=limit)

    def generations(self) -> list[schemas_evolution.Generation]:
        """Return the generations of the search."""
        return self._rows(schemas_evolution.Generation, "generations")

    def trades(
        self,
        *,
        status: Literal["PAPER", "LIVE", "FAILED"] | None = None,
        page_size: int = _PAGE,
        **chosen: Unpack[TradeChoice],
    ) -> Iterator[schemas.Trade]:
        """Yield fills and failed orders, the newest first."""
        return self._pages(schemas.Trade, "trades", {"status": status, **chosen}, page_size)

    def refusals(self, *, page_size: int = _PAGE, **chosen: Unpack[TradeChoice]) -> Iterator[schemas.Refusal]:
        """Yield decisions that the risk gate refused, the newest first."""
        return self._pages(schemas.Refusal, "refusals", chosen, page_size)

    def positions(self, limit: int = 1000) -> list[schemas.Position]:
        """Return positions, open ones first."""
        return self._rows(schemas.Position, "positions", limit=limit)

    def commands(self, limit: int = 100) -> list[schemas.Command]:
        """Return manual commands with their outcomes, the newest first."""
        return self._rows(schemas.Command, "commands", limit=limit)

    def actions(self, *, page_size: int = _PAGE) -> Iterator[schemas_details.Action]:
        """Yield the audit log, the newest first."""
        return self._pages(schemas_details.Action, "actions", {}, page_size)

    def market(self) -> schemas_details.MarketOverview:
        """Return tokens, launches, graduations and volume."""
        return self._one(schemas_details.MarketOverview, "market")

    def tokens(
        self, sort: str | None = None, *, alive: bool = False, page_size: int = _PAGE
    ) -> Iterator[schemas_details.Token]:
        """Yield the tokens of the newest run, by default those with most volume first."""
        chosen = {"sort": sort, "alive": alive}
        return self._pages(schemas_details.Token, "market/tokens", chosen, page_size, appended=False)

    def token(self, mint: str, interval_s: int | None = None) -> schemas_details.TokenPage:
        """Return a token with its candles, and our trades in it."""
        return self._one(schemas_details.TokenPage, f"market/tokens/{_part(mint)}", interval_s=interval_s)

    def verdicts(self, mint: str) -> list[schemas_details.TokenVerdict]:
        """Return the verdicts on whether a token may be bought live, the newest first."""
        return self._rows(schemas_details.TokenVerdict, f"tokens/{_part(mint)}/safety")

    def save(
        self, name: Literal["trades", "refusals", "equity"], path: str | Path, **query: str | int | None
    ) -> Path:  # fmt: skip
        """Write a list to a file, CSV or Parquet as the path's ending says; return the path.

        Args:
            name: of the list.
            path: of the file, which is replaced.
            query: the parameters of the route, such as `account`.

        Raises:
            InputError: the ending is neither `.csv` nor `.parquet`.
        """
        path = Path(path)
        if path.suffix not in (".csv", ".parquet"):
            raise InputError(f"{printable(str(path))}: end its name with .csv or .parquet")
        path.write_bytes(self._transport.get(f"{name}{path.suffix}", query).content)
        return path

    def halt(self, reason: str) -> schemas.RecordedCommand:
        """Stop all trading; positions are kept."""
        return self._command("halt", reason=reason)

    def flatten(self, reason: str, account: Literal["live", "paper", "all"] = "live") -> schemas.RecordedCommand:
        """Stop all entries, and sell every position of an account."""
        return self._command("flatten", reason=reason, account=account)

    def reset_risk(self, reason: str) -> schemas.RecordedCommand:
        """Leave a halt, a flatten or Emergency."""
        return self._command("risk/reset", reason=reason)

    def promote(self, spec_id: str, reason: str) -> schemas.RecordedCommand:
        """Move a strategy one mode up, past the gates."""
        return self._command(f"strategies/{_part(spec_id)}/promote", reason=reason)

    def demote(self, spec_id: str, reason: str) -> schemas.RecordedCommand:
        """Move a strategy one mode down."""
        return self._command(f"strategies/{_part(spec_id)}/demote", reason=reason)

    def _one(self, kind: type[T], path: str, **query: str | int | bool | None) -> T:
        return cast("T", read(_type(cast("Any", kind)), self._transport.get(path, query)))

    def _rows(self, kind: type[T], path: str, **query: str | int | bool | None) -> list[T]:
        return cast("list[T]", read(_type(list[kind]), self._transport.get(path, query)))  # type: ignore[valid-type]

    def _command(self, path: str, **query: str) -> schemas.RecordedCommand:
        return cast("schemas.RecordedCommand", read(_type(schemas.RecordedCommand), self._transport.post(path, query)))

    def _pages(
        self, kind: type[T], path: str, query: Mapping[str, Any], page_size: int, *, appended: bool = True
    ) -> Iterator[T]:
        """Yield the rows of all pages.

        Where rows are only ever added, at the beginning, those that arrive between two pages shift the next page by
        their number, and as many of its rows were yielded already.
        """
        offset, total_before, repeated = 0, None, 0
        while True:
            page = {**query, "limit": page_size, "offset": offset or None}
            response = self._transport.get(path, page)
            rows = read(_type(list[kind]), response)  # type: ignore[valid-type]
            total = int(response.headers.get(_TOTAL, len(rows)))
            if appended and total_before is not None:
                repeated += max(total - total_before, 0)
            skipped = min(repeated, len(rows))
            yield from rows[skipped:]
            offset, total_before, repeated = offset + len(rows), total, repeated - skipped
            if not rows or offset >= total:
                return


def _part(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe=":")


def _type(kind: Any) -> TypeAdapter[Any]:
    return _adapter(kind)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
