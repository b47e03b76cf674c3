"""All settings with types and meanings; the only reader of the environment and of `.env`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from memesnipe.config.conflicts import check_together
from memesnipe.config.env_file import check_env_file, line_of_setting, near_misses
from memesnipe.config.types import (
    AnyPercent,
    Bps,
    Count,
    CountOrNone,
    DeadAfter,
    Folder,
    Folders,
    Genomes,
    Interval,
    Lamports,
    Observation,
    OptionalPath,
    OptionalText,
    Percent,
    Port,
    PostgresUrl,
    Ratio,
    RedisUrl,
    Seed,
    Sharpe,
    Usd,
    describe_error,
    range_of,
)
from memesnipe.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from memesnipe.engine.fills import FillModel

# Settings that the decisions of strategies depend on. A run keeps them, also after a restart.
DECIDING = (
    "seed", "initial_capital_usd", "shadow_capital_usd", "population_size", "mutation_rate", "crossover_rate",
    "tournament_size", "specs_per_generation", "arena_size", "min_sharpe_for_promotion", "min_trades_for_promotion",
    "min_observation_secs", "max_drawdown_for_promotion", "rebalance_interval_secs", "generation_interval_secs",
    "tape_window_events", "global_max_position_usd", "portfolio_stop_loss_percent", "trailing_stop_loss_percent",
    "slippage_bps", "latency_ms", "landing_max", "landing_half_lamports", "priority_fee_lamports", "jito_tip_lamports",
    "dead_after_secs", "strategy_path", "max_token_exposure_usd", "max_total_exposure_usd", "max_orders_per_minute",
    "min_deflated_sharpe_for_paper", "max_parity_error_bps", "min_sharpe_for_live", "min_trades_for_live",
    "min_observation_secs_for_live", "min_deflated_sharpe_for_live", "max_drawdown_for_live",
    "min_compared_fills_for_live", "max_parity_error_bps_for_live", "max_strategy_share_percent",
    "max_invested_share_percent", "min_sharpe_to_stay", "drift_fills", "max_data_age_ms", "max_price_deviation_percent",
    "max_dev_out_percent", "max_liquidity_pull_percent",
)  # fmt: skip

ENV_FILE: Final = Path(".env")
_PRINTED: set[str] = set()  # notices that this process has printed


class Settings(BaseSettings):
    """One field per setting; the environment variable is the field's name in upper case."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8-sig", extra="ignore", allow_inf_nan=False
    )

    paper_trading_mode: bool = Field(True, description="trade with paper money; must stay true in this version")
    live_trading_enabled: bool = Field(False, description="trade with real money; refused in this version")
    seed: Seed = Field(24, description="seed of the search and of landing failures")

    initial_capital_usd: Usd = Field(10_000, description="paper capital of the portfolio")
    shadow_capital_usd: Usd = Field(1_000, description="shadow capital of each simulated strategy")
    global_max_position_usd: Usd = Field(500, description="maximum cost of one paper position")

    max_token_exposure_usd: Usd = Field(1_000, description="maximum cost of all positions in one token")
    max_total_exposure_usd: Usd = Field(10_000, description="maximum cost of all positions")
    max_orders_per_minute: Count = Field(600, description="maximum number of orders per minute of event time")
    max_data_age_ms: Annotated[int, Field(ge=1, le=86_400_000)] = Field(
        5_000, description="maximum age of the data for a buy"
    )
    max_feed_silence_secs: Observation = Field(0, description="silence of a live feed that degrades health; 0 for none")
    max_price_deviation_percent: AnyPercent = Field(
        20, description="maximum difference of the reported price from the pool's for a buy"
    )
    max_dev_out_percent: AnyPercent = Field(
        50, description="maximum share of the liquidity that the developer has moved, for a buy"
    )
    max_liquidity_pull_percent: Percent = Field(
        50, description="maximum share of its liquidity that a token ever lost at once, for a buy"
    )

    population_size: Annotated[int, Field(ge=4, le=100_000)] = Field(50, description="genomes in a generation")
    mutation_rate: Ratio = Field(0.2, description="probability that a number of a genome mutates")
    crossover_rate: Ratio = Field(0.7, description="probability that a child has two parents")
    tournament_size: Genomes = Field(3, description="genomes drawn for one tournament")
    specs_per_generation: Genomes = Field(8, description="best genomes of a generation that join the live simulation")
    generation_interval_secs: Interval = Field(600, description="event time between two generations")
    # At most the events that the bus keeps less the lag of a reader: after a restart the window is read from the bus.
    tape_window_events: Annotated[int, Field(ge=10, le=90_000)] = Field(
        5_000, description="latest events that a generation is backtested on"
    )

    arena_size: Genomes = Field(100, description="maximum number of strategies in the live simulation")
    executor_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        1, description="threads of the live simulation; each simulates a share of the strategies"
    )
    min_sharpe_for_promotion: Sharpe = Field(
        0.5, description="minimum simulated Sharpe ratio (annualised) for paper mode"
    )
    min_trades_for_promotion: Count = Field(3, description="minimum simulated round trips for paper mode")
    min_observation_secs: Observation = Field(300, description="minimum simulated event time for paper mode")
    max_drawdown_for_promotion: Ratio = Field(0.3, description="maximum drawdown for paper mode")
    min_deflated_sharpe_for_paper: Ratio = Field(
        0.0, description="minimum deflated Sharpe ratio (all evaluations counted) for paper mode"
    )
    min_sharpe_to_stay: Sharpe = Field(
        0.0, description="minimum Sharpe ratio (annualised) to stay in paper or live mode"
    )
    drift_fills: Count = Field(10, description="compared fills before a demotion for their error")
    max_parity_error_bps: Bps = Field(
        1_000, description="maximum difference of fills from simulated ones; more is a demotion"
    )
    min_sharpe_for_live: Sharpe = Field(1.0, description="minimum Sharpe ratio (annualised) for live mode")
    min_trades_for_live: Count = Field(50, description="minimum round trips for live mode")
    min_observation_secs_for_live: Observation = Field(86_400, description="minimum event time on paper for live mode")
    min_deflated_sharpe_for_live: Ratio = Field(
        0.95, description="minimum deflated Sharpe ratio (all evaluations counted) for live mode"
    )
    max_drawdown_for_live: Ratio = Field(0.15, description="maximum drawdown for live mode")
    min_compared_fills_for_live: CountOrNone = Field(
        20, description="minimum paper fills compared with simulated ones for live mode"
    )
    max_parity_error_bps_for_live: Bps = Field(500, description="maximum difference of these fills for live mode")
    max_strategy_share_percent: Percent = Field(10, description="maximum share of the capital for one strategy")
    max_invested_share_percent: Percent = Field(80, description="maximum share of the capital for all strategies")
    rebalance_interval_secs: Interval = Field(60, description="event time between two decisions of the portfolio")
    portfolio_stop_loss_percent: Percent = Field(50, description="a paper position is sold at this loss")
    trailing_stop_loss_percent: Percent = Field(60, description="a paper position is sold this far below its peak")

    slippage_bps: Annotated[int, Field(ge=0, le=10_000)] = Field(
        1_000, description="maximum shortfall of a fill from its quote"
    )
    latency_ms: Annotated[int, Field(ge=0, le=600_000)] = Field(1_500, description="time from a decision to the chain")
    landing_max: Ratio = Field(0.95, description="maximum probability that a transaction lands")
    landing_half_lamports: Lamports = Field(6_000, description="priority fee plus tip for half of that probability")
    priority_fee_lamports: Lamports = Field(100_000, description="priority fee of an order")
    jito_tip_lamports: Lamports = Field(10_000, description="tip of an order that lands")
    dead_after_secs: DeadAfter = Field(1_800, description="a token without an event for this time is dead")

    strategy_path: Folders = Field(
        "", description="folders of your own strategies, separated by colons; the same on every node"
    )

    redis_url: RedisUrl = Field(None, description="redis://USER:PASSWORD@HOST:PORT/DB instead of the embedded Redis")
    database_url: PostgresUrl = Field(
        None, description="postgresql://USER:PASSWORD@HOST:PORT/DB instead of the embedded PostgreSQL"
    )
    ray_address: OptionalText = Field(None, description="a running Ray cluster instead of a local one; auto finds it")
    wallet_keypair_filename: OptionalPath = Field(
        None, description="keypair file of the wallet; by default one is created for this installation"
    )
    api_token_filename: OptionalPath = Field(
        None, description="file with the token for commands (halt, reset, promote, demote); by default one is created"
    )
    memesnipe_home: Folder = Field(Path(".memesnipe"), description="folder of this installation's data")
    dashboard_port: Port = Field(8080, description="port of the page and the API, on 127.0.0.1")
    dashboard_hosts: str = Field("", description="additional host names of the API, separated by commas")
    dashboard_max_streams: Annotated[int, Field(ge=1, le=1_000)] = Field(
        100, description="maximum number of open /api/events streams"
    )
    executor_metrics_port: Port = Field(9184, description="Prometheus port of the executor")
    portfolio_metrics_port: Port = Field(9100, description="Prometheus port of the portfolio")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="minimum log level")

    @property
    def strategy_folders(self) -> tuple[Path, ...]:
        """Return the folders of the user's own strategies."""
        return tuple(Path(part) for part in self.strategy_path.split(os.pathsep) if part)

    @property
    def wallet_file(self) -> Path:
        """Return the keypair file of this installation."""
        return self.wallet_keypair_filename or self.memesnipe_home / "wallet" / "keypair.json"

    @property
    def token_file(self) -> Path:
        """Return the file with the token for commands."""
        return self.api_token_filename or self.memesnipe_home / "secrets" / "api_token"

    @property
    def fill_model(self) -> "FillModel":
        """Return the model of latency, landing, slippage and fees of orders."""
        from memesnipe.engine.fills import FillModel  # noqa: PLC0415 - it loads the compiler, which is slow

        return FillModel(
            seed=self.seed,
            latency_ns=self.latency_ms * 1_000_000,
            landing_max=self.landing_max,
            landing_half_lamports=self.landing_half_lamports,
            slippage_bps=self.slippage_bps,
            priority_fee_lamports=self.priority_fee_lamports,
            tip_lamports=self.jito_tip_lamports,
            dead_after_ns=self.dead_after_secs * 1_000_000_000,
        )

    @property
    def deciding(self) -> dict[str, Any]:
        """Return the settings that a run keeps."""
        return {name: getattr(self, name) for name in DECIDING}


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env`; print notices about unknown names to standard error, once per process.

    Raises:
        SettingsError: a value is invalid or contradicts another, or a name in `.env` is misspelt; the text names it.
        RefusedError: live trading is requested.
    """
    names = [name.upper() for name in Settings.model_fields]
    _print_notices([*check_env_file(ENV_FILE, names), *near_misses(os.environ, names)])
    settings = settings_from(overrides)
    check_together(settings)
    if settings.live_trading_enabled or not settings.paper_trading_mode:
        raise RefusedError(
            "live trading is not part of this version: leave LIVE_TRADING_ENABLED=false and PAPER_TRADING_MODE=true"
        )
    return settings


def settings_from(values: Mapping[str, Any], *, env_file: Path | None = ENV_FILE) -> Settings:
    """Return settings with the given values, and the others from the environment, `.env` or the defaults.

    Raises:
        SettingsError: a value is invalid.
    """
    try:
        return Settings(_env_file=env_file, **values)  # type: ignore[call-arg]
    except ValidationError as error:
        fields = Settings.model_fields
        details = [(str(detail["loc"][0]), dict(detail)) for detail in error.errors()]
        lines = (
            f"{_position(name, values, env_file)}{describe_error(name, fields.get(name), detail)}"
            for name, detail in details
        )
        raise SettingsError("; ".join(lines)) from None


def _position(name: str, values: Mapping[str, Any], env_file: Path | None) -> str:
    """Return `FILE:LINE: ` of a value in the settings file; "" for a value from another source."""
    name = name.upper()
    if env_file is None or name in {other.upper() for other in (*values, *os.environ)}:
        return ""
    line = line_of_setting(env_file, name)
    return f"{env_file}:{line}: " if line else ""


def _print_notices(notices: list[str]) -> None:
    for notice in notices:
        if notice not in _PRINTED:
            _PRINTED.add(notice)
            sys.stderr.write(f"memesnipe: note: {notice}\n")


def write_resolved(settings: Settings, path: Path) -> None:
    """Write resolved settings, secrets included, to a file that only its owner can read, for the actors."""
    values = settings.model_dump(mode="json")
    for name in ("redis_url", "database_url"):
        secret: SecretStr | None = getattr(settings, name)
        values[name] = secret.get_secret_value() if secret else None
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps(values))


def read_resolved(path: Path) -> Settings:
    """Return the settings that `up` has resolved; on a node without the file, those of its environment."""
    if not path.is_file():
        return load_settings()
    return settings_from(orjson.loads(path.read_bytes()), env_file=None)


def env_example() -> str:
    """Return the text of `.env.example`: every setting with its meaning, range and default."""
    lines = ["# Copy to .env and change the settings you need. Every line shows the default."]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        # A port that is set must be free; a default port is replaced by another if it is taken.
        mark = "" if default and not name.endswith("_port") else "# "
        allowed = f" ({range_of(field)})" if range_of(field) else ""
        lines += ["", f"# {field.description}{allowed}", f"{mark}{name.upper()}={default}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(env_example(), end="")  # noqa: T201
