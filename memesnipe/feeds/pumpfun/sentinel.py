"""The protocol sentinel: notices that the programs no longer speak as this feed reads them.

Three shares are measured for each program over its last events: events with an unknown discriminator, events whose
bytes do not fit the layout, and trades that contradict the reserves. Above its limit the feed is untrusted, so that
nothing is bought on numbers that may be read from the wrong bytes.

It is trusted again when the shares have fallen below a quarter of their limits. A changed program stays changed, so
its shares stay high until this feed is updated; shares that fall again were caused by something passing, such as one
faulty node, after which trading may continue without a restart. Between the two limits the state stays as it is.
"""

from collections import Counter, OrderedDict, deque
from typing import Final

from memesnipe.feeds.pumpfun.chain_events import CreateEvent, PoolTradeEvent, TradeEvent
from memesnipe.feeds.pumpfun.decoder import UNDECODABLE, UNKNOWN, Transaction
from memesnipe.feeds.pumpfun.layouts import PROGRAM_OF
from memesnipe.feeds.pumpfun.programs import PROGRAM_NAMES, PUMP, PUMP_AMM
from memesnipe.feeds.pumpfun.rules import is_exact, is_plausible, reserves_before

WINDOW: Final = 400  # events; a few seconds of the whole market
MIN_EVENTS: Final = 40  # before a share is judged
RECOVERY: Final = 0.25  # of a limit
MAX_COINS: Final = 10_000  # whose reserves are remembered
CONTRADICTION: Final = "trades that contradict their own reserves"
DISCONTINUITY: Final = "trades that do not continue from the reserves before"
LIMITS: Final = {
    UNKNOWN: 0.05,  # a new administrative event is rare; an event that replaces TradeEvent is most of the events
    UNDECODABLE: 0.02,
    CONTRADICTION: 0.10,  # recorded: none
    DISCONTINUITY: 0.40,  # recorded: 6 %, where frames are missing that nothing announces
}


class _Share:
    """The share of wrong observations among the last ones, and what the wrong ones were."""

    def __init__(self) -> None:
        self._window: deque[str] = deque()  # "" for right
        self.reasons: Counter[str] = Counter()

    def add(self, reason: str) -> None:
        if len(self._window) == WINDOW:
            oldest = self._window.popleft()
            if oldest:
                self.reasons[oldest] -= 1
                if not self.reasons[oldest]:
                    del self.reasons[oldest]
        self._window.append(reason)
        if reason:
            self.reasons[reason] += 1

    @property
    def count(self) -> int:
        return len(self._window)

    @property
    def value(self) -> float:
        return self.reasons.total() / len(self._window)


class Sentinel:
    """Judges the transactions of the feed, in order."""

    def __init__(self) -> None:
        self._shares = {(program, what): _Share() for program in PROGRAM_NAMES for what in LIMITS}
        self._exceeded: set[tuple[str, str]] = set()
        # The slot of the last trade of each curve, and the reserves after it.
        self._last: OrderedDict[bytes, tuple[int, tuple[int, int]]] = OrderedDict()

    @property
    def is_untrusted(self) -> bool:
        """Whether the feed's events are not to be acted on."""
        return bool(self._exceeded)

    @property
    def message(self) -> str:
        """What is wrong, in one line; "" while the feed is trusted."""
        return "; ".join(self._describe(*one) for one in sorted(self._exceeded))

    def _describe(self, program: str, what: str) -> str:
        share = self._shares[program, what]
        reason, count = share.reasons.most_common(1)[0]
        return (
            f"protocol changed: {PROGRAM_NAMES[program]}: {share.reasons.total()} of the last {share.count} events are "
            f"{what}, mostly {reason} ({count})"
        )

    def gap(self) -> None:
        """Note that transactions were missed: the next trade of a coin need not continue from its last one."""
        self._last.clear()

    def observe(self, transaction: Transaction) -> None:
        """Judge a transaction."""
        for program in transaction.others:
            self._add_read(program)
        for unread in transaction.unread:
            self._add_unread(unread.program, unread.category, unread.reason)
        for event in transaction.events:
            self._add_read(PROGRAM_OF[type(event)])
            if isinstance(event, PoolTradeEvent):
                wrong = "" if is_plausible(event) else f"{type(event).__name__}: quote amount and pool reserves"
                self._add(PUMP_AMM, CONTRADICTION, wrong)
            elif isinstance(event, TradeEvent):
                self._add_trade(event, transaction.slot)
            elif isinstance(event, CreateEvent):
                self._remember(event.mint, transaction.slot, (event.virtual_sol_reserves, event.virtual_token_reserves))
        if not transaction.is_complete:
            self.gap()  # what is missing follows the events that are there

    def _add_trade(self, event: TradeEvent, slot: int) -> None:
        """Judge a trade on a curve; mayhem coins move their reserves without trades."""
        if event.mayhem_mode:
            return
        self._add(PUMP, CONTRADICTION, "" if is_exact(event) else "TradeEvent: sol_amount and virtual reserves")
        last = self._last.get(event.mint)
        if last is not None and slot < last[0]:
            return  # it arrived late, and is the last trade of nothing
        if last is not None:
            wrong = "" if last[1] == reserves_before(event) else "TradeEvent: virtual reserves"
            self._add(PUMP, DISCONTINUITY, wrong)
        self._remember(event.mint, slot, (event.virtual_sol_reserves, event.virtual_token_reserves))

    def _remember(self, mint: bytes, slot: int, reserves: tuple[int, int]) -> None:
        self._last[mint] = (slot, reserves)
        self._last.move_to_end(mint)
        if len(self._last) > MAX_COINS:
            self._last.popitem(last=False)

    def _add_read(self, program: str) -> None:
        self._add(program, UNKNOWN, "")
        self._add(program, UNDECODABLE, "")

    def _add_unread(self, program: str, category: str, reason: str) -> None:
        for what in (UNKNOWN, UNDECODABLE):
            self._add(program, what, reason if what == category else "")

    def _add(self, program: str, what: str, reason: str) -> None:
        share, key = self._shares[program, what], (program, what)
        share.add(reason)
        if share.count < MIN_EVENTS or not (reason or key in self._exceeded):
            return
        if share.value > LIMITS[what]:
            self._exceeded.add(key)
        elif share.value < LIMITS[what] * RECOVERY:
            self._exceeded.discard(key)
