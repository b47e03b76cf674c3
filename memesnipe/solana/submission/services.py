"""The clients as the ports of submissions: lanes, and the signer."""

from memesnipe.engine.orders import Order
from memesnipe.market.events import NS_PER_S
from memesnipe.solana.jito import JitoClient
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.sender import SenderClient
from memesnipe.solana.signer_client import Intent, SignedTransaction, SignerClient
from memesnipe.solana.submission.builder import swap_of

_NS_PER_MS = NS_PER_S // 1_000


class RpcLane:
    """Sends to a node."""

    name = "rpc"

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def send(self, transaction: bytes) -> None:
        """Send a transaction."""
        await self._rpc.send(transaction)


class SenderLane:
    """Sends to Helius' Sender."""

    name = "sender"

    def __init__(self, sender: SenderClient) -> None:
        self._sender = sender

    async def send(self, transaction: bytes) -> None:
        """Send a transaction."""
        await self._sender.send(transaction)


class JitoLane:
    """Sends a bundle of one transaction."""

    name = "jito"

    def __init__(self, jito: JitoClient) -> None:
        self._jito = jito

    async def send(self, transaction: bytes) -> None:
        """Send a transaction."""
        await self._jito.send_bundle([transaction])


class RemoteSigner:
    """Signs with the signer.

    Args:
        client: of the signer.
        slippage_bps: tolerance, from which the intent's minimum is computed.
        run: name of the run: the signer signs once for an order id, and these are unique in their run alone.
    """

    def __init__(self, client: SignerClient, slippage_bps: int, run: str) -> None:
        self._client, self._slippage_bps, self._run = client, slippage_bps, run

    async def sign(self, message: bytes, order_id: str, order: Order, mint: str) -> SignedTransaction:
        """Return the signed transaction of a message."""
        swap = swap_of(order, mint, self._slippage_bps)
        intent = Intent(swap.side, mint, swap.amount_in, swap.min_out, order.decided_ts // _NS_PER_MS)
        return await self._client.sign(message, f"{self._run}/{order_id}", intent)
