"""The JSON of the API's responses, as described by `/openapi.json`.

The views of `memesnipe.storage.views` compute these values, and `Answer` writes them unchanged. A test compares the
responses of every route with these models. A number that is not finite is null.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Lamports = Annotated[int, Field(description="Lamports; 1 SOL is 1,000,000,000.")]
Nanoseconds = Annotated[int, Field(description="Event time, in nanoseconds since 1970.")]
Seq = Annotated[int, Field(description="Number of the event in the run.")]
EFFECTIVE = "Whether it has changed something: a second halt has not. Null while it waits."
TRADING_USD = (
    "Profit of trading: of all round trips and open positions, at the last price of SOL. The rest of the change of the "
    "equity (`change_usd`) is the price of SOL, in which the capital is held."
)
Mode = Literal["simulating", "paper", "live", "retired"]


class Schema(BaseModel):
    """The base of the models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Schema):
    """The response to a request that fails: problem details (RFC 9457)."""

    type: str = Field(description="about:blank: the status says what kind of problem it is.", examples=["about:blank"])
    title: str = Field(description="The name of the status.", examples=["Not Found"])
    status: int = Field(description="The status of the response.", examples=[404])
    detail: str = Field(description="What is wrong, and what to do.", examples=["there is no strategy 'abc'"])


class Part(Schema):
    """The state of a server, an actor, or another part of the health."""

    state: str
    detail: str


class Health(Schema):
    """The health of the system."""

    status: Literal["healthy", "starting", "degraded", "unhealthy"]
    version: str
    detail: str = Field(description="The reasons of a status other than healthy; while it starts, what it waits for.")
    parts: dict[str, Part]
    started_at: str = Field(description="When the API started, ISO 8601.")


class Events(Schema):
    """Numbers of events."""

    published: int
    consumed: int
    rejected: int


class Strategies(Schema):
    """Numbers of strategies by mode."""

    simulating: int
    paper: int
    live: int
    retired: int


class AccountFigures(Schema):
    """The orders, trades, money and risk of one account."""

    orders: int
    refusals: int = Field(description="Decisions that the risk gate refused.")
    fills: int = Field(description="Orders that traded.")
    failed_orders: int = Field(description="Orders that reached the chain and did not trade, or did not land.")
    trades: int = Field(description="Round trips: positions that were opened and closed again.")
    open_positions: int
    equity_lamports: int | None
    equity_usd: float | None
    trading_usd: float | None = Field(description=TRADING_USD)
    risk_level: str
    halted: bool


class Report(AccountFigures):
    """The figures of a run: orders, trades, money and risk are those of the paper account."""

    run_id: int = Field(description="0 before the first run.")
    feed: str
    status: str = Field(description="running, stopped, finished, or none before the first run.")
    events: Events
    rejected_because: dict[str, int]
    generations: int
    evaluations: int
    specs: int
    strategies: Strategies
    allocations: int
    live: AccountFigures | None = Field(description="The same of the live account, where the run has one.")


class Portfolio(Schema):
    """Equity and profit at the last mark; null before the first one."""

    run_id: int
    account: str = Field(description="paper or live: separate money.")
    seq: Seq | None
    ts: Nanoseconds | None
    equity_lamports: Lamports | None
    equity_usd: float | None
    cash_usd: float | None
    drawdown: float | None
    equity_sol: float | None
    capital_usd: float | None = Field(description="What the account began with.")
    change_usd: float | None = Field(description="Equity less the capital: the profit of trading and the price of SOL.")
    change_ratio: float | None
    trading_usd: float | None = Field(description=TRADING_USD)
    realised_sol: float
    unrealised_sol: float
    open_positions: int


class Risk(Schema):
    """The circuit breaker."""

    account: str = Field(description="paper or live: separate money.")
    level: str
    drawdown: float
    peak_lamports: Lamports
    seq: Seq
    halted: bool
    peak_sol: float
    max_drawdown: float
    size_multiplier: float = Field(description="Share of its size that a new position gets.")
    refusals: dict[str, int] = Field(description="Refused decisions by reason.")


class Evidence(Schema):
    """What a strategy's fresh round trips say about it, and how far it is from capital beyond probation."""

    e_value: float = Field(description="1 without evidence; a bet on its round trips would have become so much.")
    threshold: float = Field(description="Evidence at which its probation ends.")
    is_proven: bool = Field(description="Whether its probation has ended.")
    round_trips: int = Field(description="Fresh ones: after it was chosen, on paper those of the desk.")
    mean_return: float = Field(description="Of a round trip, relative to its stake, net of all costs.")
    expected_return: float = Field(description="The same, from its own record and those of all others.")
    deviation: float = Field(description="Standard deviation of the expected return.")
    trades_needed: float | None = Field(description="Round trips until the threshold, at the expected return.")
    weight: float = Field(description="Its share of the error that the selection may make.")


class Strategy(Schema):
    """A strategy of the live simulation."""

    spec_id: str
    genome: dict[str, Any]
    generation: int
    mode: Mode
    since_seq: Seq
    allocation_usd: float
    result: dict[str, Any] | None
    parity_bps: float | None = Field(description="Mean difference of its fills from the simulated ones.")
    parity_fills: int = Field(description="Compared fills.")
    deflated_sharpe: float | None
    evidence: Evidence | None
    live_usd: float | None
    paper_pnl_sol: float | None = Field(description="Realised and unrealised on paper; null without a position there.")
    live_pnl_sol: float | None = Field(description="The same with real money.")
    expected_interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(
        description="Of the expected return, with 95 % probability."
    )
    is_by_hand: bool = Field(description="Whether it has its mode by a manual promotion.")
    why: str = Field(description="Why it holds its capital, or none.")


class Trade(Schema):
    """A fill, or an order that failed."""

    order_id: str
    spec_id: str
    account: str = Field(description="paper or live: separate money.")
    token: int
    mint: str
    side: str
    status: str
    reason: str
    failure: str = Field(description="As the chain or the model names it; empty where it traded.")
    why: str = Field(description="The failure, or the reason where there is none, in plain words.")
    ts: Nanoseconds
    seq: Seq
    token_raw: int
    sol_lamports: Lamports
    pool_fee_lamports: Lamports
    network_fee_lamports: Lamports
    value_usd: float
    parity_bps: float | None
    sol_amount: float
    fees_sol: float


class Position(Schema):
    """A position, open or closed; in USD null before the first mark."""

    account: str = Field(description="paper or live: separate money.")
    spec_id: str
    token: int
    mint: str
    token_raw: int
    opened_ts: Nanoseconds
    seq: Seq
    open: bool
    unrealised_return: float | None
    cost_lamports: Lamports
    cost_sol: float
    cost_usd: float | None
    value_lamports: Lamports
    value_sol: float
    value_usd: float | None
    unrealised_lamports: Lamports
    unrealised_sol: float
    unrealised_usd: float | None
    realised_lamports: Lamports
    realised_sol: float
    realised_usd: float | None


class Refusal(Schema):
    """A decision that the risk gate refused."""

    order_id: str
    seq: Seq
    ts: Nanoseconds
    spec_id: str
    account: str = Field(description="paper or live: separate money.")
    token: int
    mint: str
    side: str
    reason: str
    detail: str


class LifecycleChange(Schema):
    """A promotion, demotion or retirement."""

    number: int
    seq: Seq
    spec_id: str
    from_mode: str
    to_mode: str
    reason: str


class Command(Schema):
    """A manual command."""

    command_id: int
    name: str
    spec_id: str
    account: str = Field(description="Of flatten and close; empty for every account.")
    token: int = Field(description="Of close; -1 for other commands.")
    mint: str = Field(description="Its address.")
    reason: str
    requested_at: str = Field(description="ISO 8601.")
    seq: Seq | None = Field(description="The event after which it took effect.")
    outcome: str | None = Field(description="Null while it waits.")
    effective: bool | None = Field(description=EFFECTIVE)


class RecordedCommand(Schema):
    """The response to a command that is recorded."""

    run_id: int
    command_id: int
    outcome: str = Field(description="The path that shows its outcome.")
