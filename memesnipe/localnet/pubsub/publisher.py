"""Which subscription hears of which block, and when: each block once at each commitment."""

from collections.abc import Callable
from itertools import count
from typing import Final

import orjson

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.pubsub.subscriptions import Subscription
from memesnipe.localnet.records import Block, Commitment

Send = Callable[[bytes], None]
_LEVELS: Final[tuple[Commitment, ...]] = ("processed", "confirmed", "finalized")


class Publisher:
    """The open subscriptions of all clients."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._numbers = count(1)
        self._open: dict[int, tuple[Subscription, Send]] = {}
        self._told = {level: chain.ledger.height(level) for level in _LEVELS}
        chain.listeners.append(self._on_block)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, subscription: Subscription, send: Send) -> int:
        """Open a subscription; return its number."""
        number = next(self._numbers)
        self._open[number] = subscription, send
        return number

    def begin(self, number: int) -> None:
        """Say what is known already; to be called once the client has the number."""
        subscription, send = self._open[number]
        for result in subscription.first(self._chain):
            self._tell(number, subscription, send, result)

    def remove(self, number: int) -> bool:
        """Close a subscription; return whether it was open."""
        return self._open.pop(number, None) is not None

    def _on_block(self, newest: Block) -> None:
        ledger = self._chain.ledger
        for level in _LEVELS:
            height = ledger.height(level)
            # A fork that was left may have blocks at heights that were told already.
            start = newest.height - 1 if level == "processed" else min(self._told[level], height)
            self._told[level] = height
            for told in range(start + 1, height + 1):
                self._publish(ledger.at(told), level)

    def _publish(self, block: Block, level: Commitment) -> None:
        for number, (subscription, send) in list(self._open.items()):
            if subscription.commitment == level:
                for result in subscription.results(block, self._chain):
                    self._tell(number, subscription, send, result)

    def _tell(self, number: int, subscription: Subscription, send: Send, result: object) -> None:
        parameters = {"result": result, "subscription": number}
        send(orjson.dumps({"jsonrpc": "2.0", "method": subscription.method, "params": parameters}))
        if subscription.is_over:
            self.remove(number)
