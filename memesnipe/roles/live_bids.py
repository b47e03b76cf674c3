"""What live transactions bid: the market's estimates, refreshed in the background, within the settings' limits."""

from itertools import cycle

import httpx
from solders.pubkey import Pubkey

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.config.live import LiveSettings
from memesnipe.config.settings import Settings
from memesnipe.servers import loopback
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS
from memesnipe.solana.estimate import Estimate, keep_fresh
from memesnipe.solana.jito import JitoClient
from memesnipe.solana.market_bid import BidRange, plan_bid
from memesnipe.solana.policy_caps import PolicyCaps, policy_caps
from memesnipe.solana.priority_fees import helius_estimate, helius_level, recent_percentile
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service
from memesnipe.solana.shared_accounts import shared_accounts
from memesnipe.solana.transaction import FeePlan
from memesnipe.telemetry.log_throttle import LogThrottle
from memesnipe.telemetry.logs import Logger


class PriceEstimate:
    """Asks the node for the price of compute of swaps.

    Args:
        rpc: of its own: a limit of the rate that it meets does not stop orders.
        live: the source, and the percentile.
    """

    def __init__(self, rpc: Rpc, live: LiveSettings) -> None:
        self._rpc, self._source, self._percentile = rpc, live.priority_fee_source, live.priority_fee_percentile
        self._accounts: list[str] = []

    async def ask(self) -> int:
        """Return the estimate in micro-lamports a unit.

        Raises:
            ServiceError: there is none.
        """
        self._accounts = self._accounts or await shared_accounts(self._rpc)
        if self._source == "helius":
            return await helius_estimate(self._rpc, self._accounts, helius_level(self._percentile))
        return await recent_percentile(self._rpc, self._accounts, self._percentile)


class MarketBids:
    """The bids of a live run.

    Args:
        settings: of the run.
        http: client of all services.
        log: of the venue.
        clock: of this machine.
    """

    def __init__(self, settings: Settings, http: httpx.AsyncClient, log: Logger, clock: Clock = SYSTEM_CLOCK) -> None:
        live, fills, sender = settings.live, settings.fills, settings.live.sender_tip_account
        self.tip_accounts = JITO_TIP_ACCOUNTS if sender is None else (Pubkey.from_string(sender),)
        self._next, self._every_s = cycle(self.tip_accounts), live.bid_refresh_secs
        self._log, self._clock, self._failures = log, clock, LogThrottle()
        self._fee_range = BidRange(
            live.min_priority_fee_lamports, live.max_priority_fee_lamports, fills.priority_fee_lamports
        )
        self._tip_range = BidRange(live.min_tip_lamports, live.max_tip_lamports, fills.jito_tip_lamports)
        self._note_limits()

        rpc = Rpc([Service(http, settings.feeds.solana_rpc_url.get_secret_value())], attempts=1)
        ask_price = None if live.priority_fee_source == "settings" else PriceEstimate(rpc, live).ask
        self._price = Estimate(
            "price of compute", ask_price, live.bid_max_age_secs, on_failure=self._note_failure, clock=clock
        )
        url, percentile = live.jito_tip_floor_url, int(live.tip_percentile)
        ask_tip = None
        if url is not None:
            jito = JitoClient(Service(http, live.jito_rpc_url), Service(http, url))
            ask_tip = lambda: jito.tip_floor_lamports(percentile)  # noqa: E731
        self._tip = Estimate("tip floor", ask_tip, live.bid_max_age_secs, on_failure=self._note_failure, clock=clock)
        signer = Service(http, f"http://{loopback.HOST}:{settings.api.dashboard_port}")
        # A policy changes only with a restart of the signer, so its last known limits have no age.
        self._policy: Estimate[PolicyCaps] = Estimate(
            "limits of the signer", lambda: policy_caps(signer), None, on_failure=self._note_failure, clock=clock
        )

    async def plan(self) -> FeePlan:
        """Return the bid of the next transaction, without asking anyone; tips go to the accounts in turn."""
        return plan_bid(
            self._price.read(), self._tip.read(), self._fee_range, self._tip_range, next(self._next),
            self._policy.read().value,
        )  # fmt: skip

    async def keep_fresh(self) -> None:
        """Refresh the estimates until it is cancelled."""
        await keep_fresh((self._price, self._tip, self._policy), self._every_s)

    def _note_limits(self) -> None:
        """Say where the settings without an estimate are outside the limits, which hold for them too."""
        for name, limits in (("PRIORITY_FEE_LAMPORTS", self._fee_range), ("JITO_TIP_LAMPORTS", self._tip_range)):
            bid = limits.within(limits.default)
            if bid != limits.default:
                self._log.warning("setting outside the limits of a bid", setting=name, value=limits.default, bid=bid)

    def _note_failure(self, name: str, reason: str) -> None:
        number = self._failures.count(name, self._clock.monotonic_s())
        if number:
            self._log.warning("estimate failed", estimate=name, reason=reason, failures=number)
