"""Conversion of settings to the policies of the core, with its units."""

from memesnipe.config.settings import Settings
from memesnipe.trading.allocation import Caps
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.lifecycle import Gates, PromotionPolicy, Switches


def limits_of(settings: Settings) -> Limits:
    """Return the limits of the risk gate."""
    return Limits(
        max_position_usd=settings.global_max_position_usd,
        capital_usd=settings.initial_capital_usd,
        max_token_exposure_usd=settings.max_token_exposure_usd,
        max_total_exposure_usd=settings.max_total_exposure_usd,
        max_orders_per_minute=settings.max_orders_per_minute,
        max_data_age_ns=settings.max_data_age_ms * 1_000_000,
        max_price_deviation=settings.max_price_deviation_percent / 100,
        max_dev_out=settings.max_dev_out_percent / 100,
        max_pull=settings.max_liquidity_pull_percent / 100,
    )


def ledger_policy_of(settings: Settings) -> LedgerPolicy:
    """Return the portfolio's starting capital and the exit rules of its positions."""
    return LedgerPolicy(
        capital_usd=settings.initial_capital_usd,
        stop_loss=settings.portfolio_stop_loss_percent / 100,
        trailing_stop=settings.trailing_stop_loss_percent / 100,
        dead_after_ns=settings.dead_after_secs * 1_000_000_000,
    )


def promotion_policy_of(settings: Settings) -> PromotionPolicy:
    """Return the gates of paper and of live mode."""
    paper = Gates(
        min_sharpe=settings.min_sharpe_for_promotion,
        min_trades=settings.min_trades_for_promotion,
        min_observed_s=settings.min_observation_secs,
        max_drawdown=settings.max_drawdown_for_promotion,
        min_deflated_sharpe=settings.min_deflated_sharpe_for_paper,
        max_parity_error_bps=settings.max_parity_error_bps,
    )
    live = Gates(
        min_sharpe=settings.min_sharpe_for_live,
        min_trades=settings.min_trades_for_live,
        min_observed_s=settings.min_observation_secs_for_live,
        max_drawdown=settings.max_drawdown_for_live,
        min_deflated_sharpe=settings.min_deflated_sharpe_for_live,
        min_compared_fills=settings.min_compared_fills_for_live,
        max_parity_error_bps=settings.max_parity_error_bps_for_live,
    )
    return PromotionPolicy(paper, live, settings.min_sharpe_to_stay, settings.drift_fills)


def caps_of(settings: Settings) -> Caps:
    """Return the maximum shares of the capital, of one strategy and of all."""
    return Caps(settings.max_strategy_share_percent / 100, settings.max_invested_share_percent / 100)


def switches_of(settings: Settings) -> Switches:
    """Return the switches of live trading. In this version the signer cannot sign, so they are never all on."""
    wallet = settings.wallet_keypair_filename
    return Switches(
        live_trading_enabled=settings.live_trading_enabled,
        paper_trading_off=not settings.paper_trading_mode,
        wallet=wallet is not None and wallet.is_file(),
        signer=False,
    )
