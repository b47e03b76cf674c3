"""Conversion of settings to the policies of the core, with its units."""

from dataclasses import dataclass
from typing import Final

from memesnipe.config.settings import Settings
from memesnipe.engine.fills import FillModel
from memesnipe.evolution.admission import Admission
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.racing import Budget
from memesnipe.protocol.account import Account
from memesnipe.trading.allocation import Caps
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.lifecycle import Gates, PromotionPolicy, Switches
from memesnipe.trading.loss_limit import LossLimit

_RENEWALS: Final = 0.25  # share of a generation, at most, for elites from earlier windows of the market


@dataclass(frozen=True, slots=True)
class Capital:
    """The starting capital of an account: play money in USD, or what a wallet holds in lamports."""

    usd: float = 0.0
    lamports: int = 0


def capital_of(settings: Settings, live_lamports: int | None) -> dict[Account, Capital]:
    """Return the starting capital of each account; ``live_lamports`` is None where there is no live one."""
    live = {} if live_lamports is None else {Account.LIVE: Capital(lamports=live_lamports)}
    return {Account.PAPER: Capital(settings.trading.initial_capital_usd), **live}


def limits_of(settings: Settings) -> Limits:
    """Return the limits of the risk gate of an account."""
    risk = settings.risk
    return Limits(
        max_position_usd=risk.global_max_position_usd,
        min_position_usd=settings.trading.probation_capital_usd,
        max_pool_share=risk.max_pool_share_percent / 100,
        max_token_exposure_usd=risk.max_token_exposure_usd,
        max_total_exposure_usd=risk.max_total_exposure_usd,
        max_orders_per_minute=risk.max_orders_per_minute,
        max_data_age_ns=risk.max_data_age_ms * 1_000_000,
        max_price_deviation=risk.max_price_deviation_percent / 100,
        max_dev_out=risk.max_dev_out_percent / 100,
        max_pull=risk.max_liquidity_pull_percent / 100,
    )


def fill_model_of(settings: Settings) -> FillModel:
    """Return the model of latency, landing, slippage and fees of orders."""
    fills = settings.fills
    return FillModel(
        seed=settings.simulation.seed,
        latency_ns=fills.latency_ms * 1_000_000,
        landing_max=fills.landing_max,
        landing_half_lamports=fills.landing_half_lamports,
        slippage_bps=fills.slippage_bps,
        priority_fee_lamports=fills.priority_fee_lamports,
        tip_lamports=fills.jito_tip_lamports,
        dead_after_ns=fills.dead_after_secs * 1_000_000_000,
    )


def ledger_policy_of(settings: Settings, capital: Capital) -> LedgerPolicy:
    """Return the starting capital of an account and the stops of its positions."""
    return LedgerPolicy(
        capital_usd=capital.usd,
        stop_loss=settings.risk.portfolio_stop_loss_percent / 100,
        trailing_stop=settings.risk.trailing_stop_loss_percent / 100,
        dead_after_ns=settings.fills.dead_after_secs * 1_000_000_000,
        capital_lamports=capital.lamports,
        # What a wallet holds is traded on a chain, whose feed reports the wallet's own trades too.
        pool_has_own_trades=capital.lamports > 0,
    )


def promotion_policy_of(settings: Settings) -> PromotionPolicy:
    """Return the gates of paper and of live mode."""
    lifecycle = settings.lifecycle
    paper = Gates(
        min_sharpe=lifecycle.min_sharpe_for_promotion,
        min_trades=lifecycle.min_trades_for_promotion,
        min_observed_s=lifecycle.min_observation_secs,
        max_drawdown=lifecycle.max_drawdown_for_promotion,
        min_deflated_sharpe=lifecycle.min_deflated_sharpe_for_paper,
        max_parity_error_bps=lifecycle.max_parity_error_bps,
    )
    live = Gates(
        min_sharpe=lifecycle.min_sharpe_for_live,
        min_trades=lifecycle.min_trades_for_live,
        min_observed_s=lifecycle.min_observation_secs_for_live,
        max_drawdown=lifecycle.max_drawdown_for_live,
        min_deflated_sharpe=lifecycle.min_deflated_sharpe_for_live,
        min_compared_fills=lifecycle.min_compared_fills_for_live,
        max_parity_error_bps=lifecycle.max_parity_error_bps_for_live,
    )
    return PromotionPolicy(
        paper,
        live,
        paper_alpha=lifecycle.paper_alpha,
        live_alpha=lifecycle.live_alpha,
        min_expected_return=lifecycle.min_expected_return,
        demotion_evidence=lifecycle.demotion_evidence,
        min_sharpe_to_stay=lifecycle.min_sharpe_to_stay,
        drift_fills=lifecycle.drift_fills,
    )


def search_of(settings: Settings) -> SearchSettings:
    """Return the parameters of the factory's search."""
    evolution = settings.evolution
    return SearchSettings(
        evolution.population_size,
        evolution.mutation_rate,
        evolution.crossover_rate,
        evolution.tournament_size,
        renewals=_RENEWALS,
        from_arena=evolution.arena_parent_ratio,
    )


def budget_of(settings: Settings) -> Budget:
    """Return what a generation of the factory may cost."""
    evolution = settings.evolution
    return Budget(evolution.population_size, evolution.first_population_size, evolution.training_events_budget)


def admission_of(settings: Settings) -> Admission:
    """Return the conditions for joining the arena, without a memory of earlier proposals."""
    evolution = settings.evolution
    return Admission(evolution.min_deflated_sharpe_for_arena, proposals=evolution.specs_per_generation)


def caps_of(settings: Settings) -> Caps:
    """Return the bounds of allocations."""
    trading = settings.trading
    return Caps(
        strategy=trading.max_strategy_share_percent / 100,
        all=trading.max_invested_share_percent / 100,
        probation_usd=trading.probation_capital_usd,
        probation_strategies=trading.max_probation_strategies,
        loss_limit=LossLimit(trading.max_daily_loss_percent / 100, trading.max_profit_loss_percent / 100),
    )


def switches_of(settings: Settings, *, is_live: bool) -> Switches:
    """Return the switches of live trading; ``is_live`` is whether the run was begun with ``--mode live``."""
    trading = settings.trading
    return Switches(
        live_trading_enabled=trading.live_trading_enabled,
        paper_trading_off=not trading.paper_trading_mode,
        wallet=settings.installation.wallet_file.is_file(),
        live_run=is_live,
    )
