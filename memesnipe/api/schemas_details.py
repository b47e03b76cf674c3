"""The JSON of the API's detailed responses: what was learned, a strategy, equity, the market, and the audit log."""

from typing import Annotated, Any

from pydantic import Field

from memesnipe.api.schemas import EFFECTIVE, LifecycleChange, Nanoseconds, Schema, Seq, Strategy, Trade

Account = Annotated[str, Field(description="paper or live: separate money.")]


class Learned(Schema):
    """What a run has learned so far."""

    in_words: str
    generations: int
    evaluations: int = Field(description="Genomes tried, each time counted.")
    proposed: int = Field(description="Strategies that were admitted to the simulation.")
    last_reason: str = Field(description="Why the last generation proposed none; empty where it did.")
    on_probation: int
    proven: int
    invested_ratio: float = Field(description="Capital of the strategies on paper, of the equity.")
    expected_return: float | None = Field(description="Of a round trip of theirs, weighted by their capital.")
    families: list[str] = Field(description="Of theirs, those with most capital first.")
    trades_needed: float | None = Field(description="Round trips until the next one on probation is proven.")
    live: int = Field(description="Of the strategies on probation and the proven ones.")
    seconds: float = Field(description="Computing time of the generations.")
    best_sharpe: float | None = Field(description="Of the best genome of the last generation, in validation.")
    luck_sharpe: float | None = Field(description="The greatest that as many trials without skill would reach.")
    pbo: float | None = Field(description="Probability of backtest overfitting, of the last generation.")


class Backtest(Schema):
    """The last evaluation of a strategy by the search; Sharpe ratios are annualised."""

    generation: int
    spec_id: str
    fitness: float | None
    train_sharpe: float | None
    validation_sharpe: float | None


class RoundTrip(Schema):
    """An entry, and all that followed until nothing was held; profits are net of all fees."""

    account: Account
    token: int
    mint: str
    opened_ts: Nanoseconds
    closed_ts: Nanoseconds
    entry_reason: str
    exit_reason: str
    paid_sol: float = Field(description="For the entries, fees included.")
    profit_sol: float
    profit_ratio: float = Field(description="Profit relative to what was paid.")
    note: str = Field(description="Why its profit is not what the reason of its exit promises; empty where it is.")


class Bin(Schema):
    """The number of round trips with a profit ratio in an interval."""

    from_ratio: float
    to_ratio: float
    count: int


class LiveOrders(Schema):
    """How a strategy's live orders landed, and how their prices compare with those of its simulation."""

    sent: int = Field(description="With a known outcome.")
    landed: int
    rate: float | None
    low: float = Field(description="With high: the 95 % interval of the rate.")
    high: float
    compared: int = Field(description="Fills that both landed.")
    parity_bps: float | None = Field(description="Mean difference of their prices; positive: live is worse.")
    missed: int = Field(description="Orders of which only the simulated one landed.")
    gained: int = Field(description="Orders of which only the live one landed.")


class StrategyPage(Schema):
    """All that is known of one strategy."""

    strategy: Strategy
    in_words: dict[str, str] = Field(description="Its genome in sentences, each under what it is about.")
    lifecycle: list[LifecycleChange] = Field(description="From its first mode to its last, with reasons.")
    backtest: Backtest | None
    live: LiveOrders
    round_trips: list[RoundTrip] = Field(description="Closed ones, the newest first; 1,000 at most.")
    round_trips_total: int
    returns: dict[str, list[Bin]] = Field(description="Distribution of the profit ratios, for each account.")


class Family(Schema):
    """A family of signals, and the strategies with a gene of it."""

    family: str
    simulating: int
    paper: int
    live: int
    retired: int
    weighted_usd: float = Field(
        description="Its share of the capital of its strategies, by the weights of their genes."
    )


class EquityPoint(Schema):
    """An account at one mark."""

    seq: Seq
    ts: Nanoseconds
    equity_usd: float
    cash_usd: float
    drawdown: float
    sol_usd: float | None = Field(description="Worth of the initial capital, had it been kept in SOL.")


class Equity(Schema):
    """The equity of one account over time."""

    account: Account
    initial_usd: float | None = Field(description="Also the worth of the capital, had it been kept in cash.")
    today_usd: float | None = Field(description="Change since midnight UTC, in event time.")
    points: list[EquityPoint]


class Period(Schema):
    """A day, a week or a month of an account."""

    start: str = Field(description="Its first day, UTC; a week begins on Monday.", examples=["2026-11-23"])
    start_ts: Nanoseconds
    profit_usd: float | None = Field(description="Equity at its last mark less that at the last mark before it.")
    profit_ratio: float | None = Field(description="The same, relative to the equity before it.")
    equity_usd: float = Field(description="At its last mark.")
    round_trips: int = Field(description="Positions that were closed.")
    fees_sol: float


class Periods(Schema):
    """The periods of one account that have a mark, the earliest first."""

    account: Account
    days: list[Period]
    weeks: list[Period]
    months: list[Period]


class Hour(Schema):
    """An hour of the market."""

    ts: Nanoseconds
    launches: int
    graduations: int
    trades: int
    volume_usd: float


class MarketOverview(Schema):
    """The market as far as the run has seen it."""

    seq: Seq
    behind: int = Field(description="Events that these figures do not count yet.")
    ts: Nanoseconds
    tokens: int
    alive: int = Field(description="Tokens with an event in the last hour.")
    graduated: int
    hours: list[Hour] = Field(description="The last 72 with an event.")


class Token(Schema):
    """A token of the market."""

    token: int
    mint: str
    is_alive: bool
    first_ts: Nanoseconds
    last_ts: Nanoseconds
    first_seq: Seq
    last_seq: Seq
    trades: int
    volume_usd: float
    price_usd: float
    liquidity_usd: float
    is_graduated: bool


class Candle(Schema):
    """The trades of one interval."""

    ts: Nanoseconds
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume_usd: float


class TokenPage(Schema):
    """A token, its price, and our trades in it."""

    token: Token
    interval_s: int
    candles: list[Candle] = Field(description="The last 600; an interval without a trade has none.")
    trades: list[Trade] = Field(description="Ours, the earliest first; the last 1,000.")


class Action(Schema):
    """A manual action: who asked for what and when, and what became of it."""

    action_id: int
    asked_at: str = Field(description="ISO 8601.")
    who: str
    name: str
    spec_id: str
    reason: str
    refused: str = Field(description="Why it was not recorded as a command; empty where it was.")
    command_id: int | None
    seq: Seq | None = Field(description="The event after which it took effect.")
    outcome: str | None = Field(description="Null while it waits.")
    effective: bool | None = Field(description=EFFECTIVE)
    account: str | None = Field(description="Of flatten and close; empty for every account.")
    mint: str | None = Field(description="The token of the position to close; empty for other actions.")


class RunSettings(Schema):
    """The settings of the run that decide its results, without secrets."""

    run_id: int
    feed: str
    started_at: str | None
    settings: dict[str, Any]


class SafetyReason(Schema):
    """Why a token is not bought."""

    check: str = Field(description="mint, holders, sale, rugcheck or jupiter.")
    detail: str


class TokenVerdict(Schema):
    """A verdict on whether a token may be bought live."""

    mint: str
    ts: int = Field(description="When it was made: nanoseconds since 1970.")
    safe: bool
    reasons: list[SafetyReason] = Field(description="Against the token.")
    sources: dict[str, str] = Field(description="Of each check: checked, no answer, or not configured.")
