"""The engine: ``advance(events)`` moves a whole population over a batch of events.

All of history in one batch is a backtest, the live stream in small batches is the live simulation: any batching
gives the same state to the bit, because the only clock is the events' own time. This version is plain Python
integers; its shape is what the rest of the system stands on.
"""

import heapq
from dataclasses import dataclass

from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import FillModel, Holding, Order, execute
from memesnipe.engine.results import StrategyResult, result_of
from memesnipe.engine.trader import Account, Trader, TraderState
from memesnipe.market.board import Board
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, Events, rows
from memesnipe.sdk.registry import Families
from memesnipe.stats.running import SAMPLE_INTERVAL_S

_SAMPLE_NS = SAMPLE_INTERVAL_S * NS_PER_S
_NO_HOLDING = Holding()

# What falls due at a time: (ts, strategy, token, order number, or 0 for the longest hold of a position).
# The strategy comes before the token so that the order of things never depends on who else is in the population.
Due = tuple[int, str, int, int]


@dataclass(slots=True)
class EngineState:
    """The whole engine as plain data."""

    board: Board
    traders: list[TraderState]
    timeline: list[Due]


class Engine:
    """A population of traders, the board they trade on, and what falls due when."""

    def __init__(self, families: Families, model: FillModel, capital_usd: float) -> None:
        self.board = Board()
        self.traders: dict[str, Trader] = {}
        self._families = families
        self._model = model
        self._capital_usd = capital_usd
        self._timeline: list[Due] = []
        self._unfunded: list[Trader] = []

    def add(self, genome: Genome) -> None:
        """Let a strategy join with fresh capital; it sees what happens from now on."""
        if genome.spec_id in self.traders:
            return
        trader = Trader(genome, Account(), self._families, self._model)
        self.traders[trader.spec_id] = trader
        self._unfunded.append(trader)
        self._fund()

    def remove(self, spec_id: str) -> None:
        """Let a strategy go, with all it held."""
        self.traders.pop(spec_id, None)
        self._unfunded = [trader for trader in self._unfunded if trader.spec_id != spec_id]
        # Its orders must not meet those of a later life under the same name, which are numbered from 1 again.
        self._timeline = [due for due in self._timeline if due[1] != spec_id]
        heapq.heapify(self._timeline)

    def advance(self, events: Events) -> list[Order]:
        """Move everything over ``events``, shape (n,), and give the orders decided, in order of time."""
        decided: list[Order] = []
        for event in rows(events):
            self._pass_time(event.ts, decided)
            self.board.see(event)
            self._fund()
            market = self.board.tokens.get(event.token)
            for trader in self.traders.values():
                if event.kind in trader.kinds:
                    order = trader.on_event(event, market, self.board)
                    if order is not None:
                        self._note(order, decided)
        return decided

    def is_in(self, spec_id: str, token: int) -> bool:
        """Whether a strategy holds a token, or has an order for it on the way."""
        trader = self.traders.get(spec_id)
        return trader is not None and (token in trader.account.holdings or token in trader.account.pending)

    def results(self) -> list[StrategyResult]:
        """How each strategy has done so far, in the order in which they joined."""
        return [result_of(trader, self.board) for trader in self.traders.values()]

    def _fund(self) -> None:
        """Give capital to those who have none yet, as soon as SOL has a price."""
        if not self._unfunded or not self.board.sol_usd:
            return
        lamports = int(self._capital_usd / self.board.sol_usd * LAMPORTS_PER_SOL)
        for trader in self._unfunded:
            trader.account.start(lamports, self.board.last_ts)
        self._unfunded = []

    def _note(self, order: Order, decided: list[Order]) -> None:
        heapq.heappush(self._timeline, (order.due_ts, order.spec_id, order.token, order.order_no))
        decided.append(order)

    def _pass_time(self, ts: int, decided: list[Order]) -> None:
        """Do what falls due before ``ts``, in order, sampling equity at every interval's end on the way."""
        while self._timeline and self._timeline[0][0] < ts:
            due_ts, spec_id, token, order_no = heapq.heappop(self._timeline)
            self._sample(due_ts)
            trader = self.traders.get(spec_id)
            if trader is None:
                continue
            if order_no:
                self._fill(trader, token, order_no, due_ts)
            else:
                self._end_hold(trader, token, due_ts, decided)
        self._sample(ts)

    def _fill(self, trader: Trader, token: int, order_no: int, ts: int) -> None:
        order = trader.account.pending.get(token)
        if order is None or order.order_no != order_no:
            return
        holding = trader.account.holdings.get(token, _NO_HOLDING)
        pool = self.board.tokens[token].pool.moved(holding.shift_sol_lamports, holding.shift_token_raw)
        fill = execute(order, pool, ts, self.board.last_seq, self._model)
        trader.fill(fill)
        held = trader.account.holdings.get(token)
        if held is not None and held.opened_ts == ts:
            max_hold_ns = int(trader.genome.exits.max_hold_s * NS_PER_S)
            heapq.heappush(self._timeline, (ts + max_hold_ns, trader.spec_id, token, 0))

    def _end_hold(self, trader: Trader, token: int, ts: int, decided: list[Order]) -> None:
        held = trader.account.holdings.get(token)
        max_hold_ns = int(trader.genome.exits.max_hold_s * NS_PER_S)
        if held is None or held.opened_ts + max_hold_ns > ts:
            return
        order = trader.sell(token, "max_hold", ts, self.board)
        if order is not None:
            self._note(order, decided)
        # A sell that fails is tried again, for as long as the position is there.
        heapq.heappush(self._timeline, (ts + _SAMPLE_NS, trader.spec_id, token, 0))

    def _sample(self, ts: int) -> None:
        crossed = ts // _SAMPLE_NS - self.board.last_ts // _SAMPLE_NS if self.board.last_ts else 0
        if crossed <= 0:
            return
        self.board.last_ts = ts
        for trader in self.traders.values():
            trader.account.returns.sample(trader.equity_lamports(self.board), crossed)

    def dump(self) -> EngineState:
        """The state as plain data. It shares its parts with the engine: serialise it before going on."""
        return EngineState(self.board, [trader.dump() for trader in self.traders.values()], list(self._timeline))

    def load(self, state: EngineState) -> None:
        """Go on from the state of `dump`."""
        self.board = state.board
        traders = [Trader.load(t, self._families, self._model) for t in state.traders]
        self.traders = {trader.spec_id: trader for trader in traders}
        self._unfunded = [trader for trader in traders if not trader.account.capital_lamports]
        self._timeline = list(state.timeline)
