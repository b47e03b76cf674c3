"""The venue's client: submissions advance in an asyncio loop of their own thread, each step stored before its effects.

An unexpected error, such as that of the store, ends the loop; `poll` then raises it, and the executor that is started
in its place goes on from the store.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Self

from memesnipe.engine.orders import Order
from memesnipe.errors import MemeSnipeError
from memesnipe.execution.landing_record import OUTCOMES, LandingRecord
from memesnipe.execution.submission import Submission
from memesnipe.execution.submission_events import (
    Accepted,
    Action,
    AskStatus,
    BuildFailed,
    Built,
    CancelRequested,
    Observation,
    Report,
    Restarted,
)
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.solana.bid import bid_of
from memesnipe.solana.submission.actions import Outside
from memesnipe.solana.submission.ports import SubmissionStep, SubmissionStore

_START_S: Final = 30.0


class _Open:
    """A submission in this process."""

    def __init__(self, order_id: str, order: Order, mint: str, state: Submission, record: LandingRecord) -> None:
        self.order_id, self.order, self.mint, self.state, self.record = order_id, order, mint, state, record
        self.lock = asyncio.Lock()  # one observation at a time


class SolanaVenueClient:
    """Implements `memesnipe.execution.venue.VenueClient` while it is entered.

    Args:
        store: of the submissions.
        outside: the services.
        mint_of: returns the mint of a token of the run.
        on_outcome: called with what was measured of an order once its outcome is committed, in the thread of the loop.
        on_step: called with each observation once its effect is committed, in the same thread; for the log.
    """

    def __init__(
        self,
        store: SubmissionStore,
        outside: Outside,
        mint_of: Callable[[int], str],
        on_outcome: Callable[[LandingRecord], None] = lambda _record: None,
        on_step: Callable[[SubmissionStep], None] = lambda _step: None,
    ) -> None:
        self._store, self._outside, self._mint_of = store, outside, mint_of
        self._on_outcome, self._on_step = on_outcome, on_step
        self._reports = store.reports()  # not acknowledged
        self._reporting = threading.Lock()
        self._open: dict[str, _Open] = {}
        self._messages: dict[bytes, str] = {}  # of the open orders
        self._asked: set[str] = set()  # orders whose status is asked for in the next round
        self._started: Future[None] = Future()
        self._is_ending = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="submissions")

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; what was in progress goes on from the store at the next start."""
        if self._started.done() and not self._loop.is_closed():
            with suppress(RuntimeError):  # it has ended with an error meanwhile
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def submit(self, order_id: str, order: Order) -> None:
        """Accept a committed order; a further call with the same id has no effect."""
        self._check()
        mint = self._mint_of(order.token)
        if self._store.add(order_id, order, mint):
            record = LandingRecord(accepted_ns=self._outside.clock.now_ns())
            submission = _Open(order_id, order, mint, Submission(), record)
            self._call(self._begin, submission, Accepted())

    def cancel(self, order_id: str) -> None:
        """Request that an order is not executed; without effect once it is signed."""
        self._check()
        self._call(self._cancel, order_id)

    def poll(self) -> list[ExecutionReport]:
        """Return the reports that are not acknowledged, in order.

        Raises:
            MemeSnipeError: the client has ended with an error.
        """
        self._check()
        with self._reporting:
            return [report for _, report in self._reports]

    def acknowledge(self, reports: Sequence[ExecutionReport]) -> None:
        """Forget reports; those that are forgotten already have no effect."""
        with self._reporting:
            left, numbers = list(self._reports), list[int]()
            for report in reports:
                found = next((entry for entry in left if entry[1] == report), None)
                if found is not None:
                    left.remove(found)
                    numbers.append(found[0])
        if numbers:
            self._store.forget(numbers)
        with self._reporting:
            self._reports = [entry for entry in self._reports if entry[0] not in numbers]

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        """Run a function in the loop.

        Raises:
            MemeSnipeError: the client has ended with an error.
        """
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed
            self._thread.join()
            self._check()
            raise

    def _check(self) -> None:
        if self._error is not None:
            raise MemeSnipeError(f"the venue's client has ended: {self._error}") from self._error

    # In the thread of the loop

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - raised by `poll`
            self._error = _first(error)
            if not self._started.done():
                self._started.set_exception(self._error)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._advance()
        finally:
            await self._outside.close()

    async def _advance(self) -> None:
        """Advance the submissions until the client is closed."""
        async with asyncio.TaskGroup() as self._tasks:
            for stored in await asyncio.to_thread(self._store.open):
                opened = _Open(stored.order_id, stored.order, stored.mint, stored.submission, stored.record)
                self._begin(opened, Restarted())
            self._spawn(self._ask_in_rounds())
            self._spawn(self._outside.background())
            self._started.set_result(None)
            await self._stop.wait()
            self._is_ending = True
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def _unique(self, opened: _Open, observation: Observation) -> Observation:
        """Refuse a message that another open order has: both would have one signature, and so one transaction."""
        if not isinstance(observation, Built):
            return observation
        other = self._messages.setdefault(observation.message, opened.order_id)
        if other == opened.order_id:
            return observation
        return BuildFailed(f"its transaction would be that of order {other}")

    def _begin(self, opened: _Open, observation: Observation) -> None:
        self._open[opened.order_id] = opened
        if opened.state.message:
            self._messages[opened.state.message] = opened.order_id
        self._spawn(self._handle(opened, [observation]))

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        if self._is_ending:  # it goes on from the store at the next start
            coroutine.close()
        else:
            self._tasks.create_task(coroutine).add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Begin nothing more once a task has failed: the group then cancels the others."""
        self._is_ending |= task.cancelled() or task.exception() is not None

    def _cancel(self, order_id: str) -> None:
        if order_id in self._open:
            self._spawn(self._handle(self._open[order_id], [CancelRequested()]))

    async def _handle(self, opened: _Open, observations: Sequence[Observation]) -> None:
        """Apply observations: store the state and the reports, then begin the actions."""
        for observation in observations:
            async with opened.lock:
                before, seen = opened.state, self._unique(opened, observation)
                after, actions = before.handle(seen)
                self._measure(opened, observation, actions)
                reports = [self._report(opened, after, each) for each in actions if isinstance(each, Report)]
                if after != before or reports:
                    # The write goes on when the task is cancelled, so that its thread ends before the loop does.
                    numbered = await asyncio.to_thread(self._store.save, opened.order_id, after, reports, opened.record)
                    with self._reporting:
                        self._reports += numbered
                opened.state = after
            self._on_step(SubmissionStep(opened.order_id, opened.order, opened.mint, seen, before, after))
            if any(report.status in OUTCOMES for report in reports):
                self._on_outcome(opened.record)
            if after.is_ended:
                self._open.pop(opened.order_id, None)
                self._messages.pop(after.message, None)
            for action in actions:
                self._start(opened, action)

    def _measure(self, opened: _Open, observation: Observation, actions: Sequence[Action]) -> None:
        """Note what the landing model needs; nothing here changes the submission."""
        record, now_ns = opened.record, self._outside.clock.now_ns()
        record.on_observation(observation, now_ns)
        if isinstance(observation, Built) and observation.message:
            bid = bid_of(observation.message, self._outside.tip_accounts)
            record.on_bid(bid.priority_fee_lamports, bid.tip_lamports)
        for action in actions:
            if isinstance(action, Report):
                record.on_report(action, now_ns)

    def _start(self, opened: _Open, action: Action) -> None:
        if isinstance(action, AskStatus):
            self._asked.add(opened.order_id)
        elif not isinstance(action, Report):
            self._spawn(self._perform(opened, action))

    async def _perform(self, opened: _Open, action: Action) -> None:
        signature = opened.state.signature
        result = await self._outside.perform(
            action, opened.order_id, opened.order, opened.mint, signature, opened.record
        )
        await self._handle(opened, result)

    async def _ask_in_rounds(self) -> None:
        """Ask for the statuses of all orders that wait for one, at most once an interval."""
        while True:
            await asyncio.sleep(self._outside.poll_s)
            asked = [self._open[order_id] for order_id in sorted(self._asked) if order_id in self._open]
            self._asked.clear()
            if not asked:
                continue
            found = await self._outside.statuses([opened.state.signature for opened in asked])
            for opened in asked:
                await self._handle(opened, found[opened.state.signature])

    def _report(self, opened: _Open, after: Submission, report: Report) -> ExecutionReport:
        order = opened.order
        return ExecutionReport(
            seq=1,  # the executor sets the event at which it publishes the report
            ts=self._outside.clock.now_ns(),
            spec_id=order.spec_id,
            order_no=order.order_no,
            status=report.status,
            fill=report.fill,
            signature=after.signature,
            detail=report.detail,
        )


def _first(error: BaseException) -> BaseException:
    """Return the first error in a group of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
