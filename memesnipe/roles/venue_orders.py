"""The live orders between the executor and the client of their venue."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from memesnipe.engine.orders import Order
from memesnipe.execution.venue import VenueClient
from memesnipe.protocol.account import Account, order_id
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.storage.journal import UnitOfWork
from memesnipe.trading.desk_state import DeskState, order_key
from memesnipe.trading.steps import Step

MintOf = Callable[[int], str]  # of a token of the run
OpenVenue = Callable[[MintOf], VenueClient]


class VenueOrders:
    """Submits orders, requests cancellations and acknowledges reports after the commit that they belong to.

    Args:
        open_venue: opens the client. It is called once the executor has its lease, because one client at a time may use
            the stored submissions; None where the run has no live account.
        mint_of: returns the mint of a token.
    """

    def __init__(self, open_venue: OpenVenue | None, mint_of: MintOf) -> None:
        self._open_venue, self._mint_of = open_venue, mint_of
        self._client: VenueClient | None = None
        self._unsubmitted: list[Order] = []
        self._recalled: list[Order] = []
        self._unacknowledged: list[ExecutionReport] = []

    def recover(self, states: dict[Account, DeskState]) -> None:
        """Open the client, and repeat what a crash may have prevented; repeating it has no effect."""
        if self._open_venue is None:
            return
        self._client = self._open_venue(self._mint_of)
        state = states[Account.LIVE]
        self._unsubmitted, self._recalled = list(state.pending), state.not_permitted()
        self.on_commit()

    def add(self, step: Step) -> None:
        """Keep the orders of a step until it is committed."""
        if step.account is Account.LIVE:
            self._unsubmitted += step.orders
            self._recalled += step.recalled

    def publish_reports(self, work: UnitOfWork, seq: int) -> None:
        """Publish the venue's reports; each is applied when it is read, like every control."""
        reports: Sequence[ExecutionReport] = [] if self._client is None else self._client.poll()
        for report in reports:
            work.send(replace(report, seq=seq))
        self._unacknowledged += reports

    def on_commit(self) -> None:
        """Submit committed orders, request cancellations, and acknowledge committed reports."""
        if self._client is None:
            return
        for order in self._unsubmitted:
            self._client.submit(order_id(Account.LIVE, order_key(order)), order)
        for order in self._recalled:
            self._client.cancel(order_id(Account.LIVE, order_key(order)))
        if self._unacknowledged:
            self._client.acknowledge(self._unacknowledged)
        self._unsubmitted, self._recalled, self._unacknowledged = [], [], []

    def close(self) -> None:
        """Close the client; what is in progress goes on at its next start."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
