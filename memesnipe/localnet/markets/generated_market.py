"""A generated market on the local chain: coins are launched now and then, and traded in moods that last for a while."""

from random import Random
from typing import Any, Final

from solders.pubkey import Pubkey

from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.records import Block

FIRST_COINS: Final = 5
_TRADES_PER_COIN: Final = 150  # between two launches
_TRADED_COINS: Final = 6.0  # mean age of the coin traded, in launches since
_LAUNCH_MOOD, _CALM_MOOD = 0.8, 0.5  # probability that the next trade is a buy
_RETURN, _CHANGE = 0.02, 0.05  # of the mood, with each trade


class GeneratedMarket:
    """Trades of random wallets, decided by a seed.

    Args:
        market: of the chain.
        seed: of launches and moods.
        trades_per_s: of the chain's time.
        sol_usd: price of SOL.
    """

    def __init__(self, market: ChainMarket, seed: int, trades_per_s: float, sol_usd: float) -> None:
        self.sol_usd = sol_usd
        self._market, self._trades_per_s = market, trades_per_s
        self._random = Random(seed)  # noqa: S311 - of a simulation
        self._moods: dict[Pubkey, float] = {}
        self._due = 0.0
        self._traded = 0
        self._is_running = False

    def start(self) -> None:
        """Begin with the next block; nothing happens if it has begun."""
        if not self._is_running:
            self._is_running = True
            for _ in range(FIRST_COINS):
                self._launch()

    def on_block(self, _: Block) -> None:
        """Queue the trades of the next block."""
        if not self._is_running:
            return
        self._due += self._trades_per_s * self._market.chain.slot_ms / 1_000
        while self._due >= 1.0:
            self._due -= 1.0
            self._trade()

    def status(self) -> dict[str, Any]:
        """Return what has happened so far, as JSON."""
        return {
            "state": "running" if self._is_running else "waiting",
            **self._market.sent.status(),
            "coins": len(self._moods),
        }

    def mints(self) -> dict[str, str]:
        """Return the mints of the chain by the names of the coins."""
        return {f"coin {number}": str(mint) for number, mint in enumerate(self._moods)}

    def _launch(self) -> None:
        self._moods[self._market.create_coin(f"coin {len(self._moods)}")] = _LAUNCH_MOOD

    def _trade(self) -> None:
        """Queue a trade of one of the newer coins."""
        coins = list(self._moods)
        mint = coins[max(len(coins) - 1 - int(self._random.expovariate(1 / _TRADED_COINS)), 0)]
        mood = self._moods[mint]
        self._market.step(mint, mood)
        changed = mood + _RETURN * (_CALM_MOOD - mood) + self._random.gauss(0.0, _CHANGE)
        self._moods[mint] = min(max(changed, 0.05), 0.95)
        self._traded += 1
        if self._traded % _TRADES_PER_COIN == 0:
            self._launch()
