"""The market of a tape on the local chain: each of its trades is a transaction of a wallet of its own.

Buys spend the lamports of the tape and sales sell its raw tokens, in the order and at the times of the tape. What they
bring is what the pools of the chain give, which other clients of the chain trade in too.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from memesnipe.localnet.market import ChainMarket, keypair_of
from memesnipe.localnet.markets.midlife import write_coin
from memesnipe.localnet.markets.next_block import NextBlock
from memesnipe.localnet.markets.tape_trades import TapeTrades, reserves_before
from memesnipe.localnet.programs import ProgramError
from memesnipe.localnet.records import Block
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, PRICE, Event
from memesnipe.market.wide import mul_div_up
from memesnipe.solana.addresses import SYSTEM, TOKEN_2022, token_address
from memesnipe.solana.curve_quotes import CURVE_FEES
from memesnipe.solana.instructions.spl import create_token_account, transfer_checked

_BPS: Final = 10_000
_NS_PER_MS: Final = 1_000_000
_SLOT_MS_PER_TRANSACTION: Final = 2  # a transaction takes about 1 ms, and the node has others to serve
_DECIMALS: Final = 6
_ROUNDING: Final = 10_000  # a sale may be smaller than in the tape by one part in so many


@dataclass(frozen=True, slots=True)
class _Coin:
    mint: Pubkey
    name: str  # in the tape
    is_derived: bool  # the name is no address, and the mint is derived from it
    creator: Keypair
    first: Event


class TapeMarket:
    """Plays the trades of a tape, block by block.

    Args:
        market: of the chain; it is told to note each block.
        trades: of the tape.
        speed: time of the tape over that of the chain.
    """

    def __init__(self, market: ChainMarket, trades: TapeTrades, speed: float) -> None:
        self._market, self._trades, self._speed = market, trades, speed
        self._events: Iterator[Event] = iter(trades)
        self._next: Event | None = next(self._events)
        self._start_slot: int | None = None
        self._has_ended = False
        self._coins: dict[int, _Coin] = {}
        self._traders: dict[int, Keypair] = {}
        self._limit = max(market.chain.slot_ms // _SLOT_MS_PER_TRANSACTION, 1)
        self.sol_usd = trades.first_sol_usd
        self.skipped: Counter[str] = Counter()
        self.smaller = 0  # sales of less than in the tape, because the seller and the creator had no more

    def start(self) -> None:
        """Begin with the next block; nothing happens if it has begun."""
        if self._start_slot is None:
            self._start_slot = self._market.chain.slot

    def on_block(self, _: Block) -> None:
        """Queue what is due by the next block."""
        if self._start_slot is None or self._has_ended:
            return
        if self._next is not None:
            self._play(self._due_ts())
        elif self._market.sent.are_settled(self._market.chain.ledger.height("confirmed")):
            self._has_ended = True

    def status(self) -> dict[str, Any]:
        """Return what has happened so far, as JSON."""
        at_ts = self._next.ts if self._next is not None else self._trades.last_ts
        behind_s = 0.0 if self._next is None or self._start_slot is None else (self._due_ts() - at_ts) / NS_PER_S
        return {
            "state": "ended" if self._has_ended else "waiting" if self._start_slot is None else "running",
            "trades": self._trades.trades,
            **self._market.sent.status(),
            "skipped": dict(self.skipped),
            "smaller_sales": self.smaller,
            "left_out": self._trades.left_out,
            "midlife_coins": self._trades.midlife,
            "tape_ts": at_ts,
            "behind_s": max(behind_s, 0.0),
        }

    def mints(self) -> dict[str, str]:
        """Return the mints of the chain by the names of the tape."""
        return {coin.name: str(coin.mint) for coin in map(self._coin, self._trades.starts)}

    def _due_ts(self) -> int:
        """Return the time of the tape that the chain's newest slot has reached."""
        chain = self._market.chain
        passed_ms = (chain.slot - (self._start_slot or chain.slot)) * chain.slot_ms
        return self._trades.first_ts + int(passed_ms * _NS_PER_MS * self._speed)

    def _play(self, until_ts: int) -> None:
        """Queue the trades up to a time, as far as one block takes them."""
        block, most = NextBlock(self._market), self._market.sent.sent + self._limit
        while self._next is not None and self._next.ts <= until_ts and self._market.sent.sent < most:
            self.sol_usd = self._next.sol_usd or self.sol_usd
            if self._next.kind == PRICE:
                coin = self._coin(self._next.token)
                if not self._is_open(coin, block):
                    return
                self._trade(self._next, coin, block)
                if block.completes(coin.mint):  # until it has migrated, nobody can trade it
                    self._next = next(self._events, None)
                    return
            self._next = next(self._events, None)

    def _is_open(self, coin: _Coin, block: NextBlock) -> bool:
        """Return whether a coin can be traded in the next block; create or migrate it if that is missing."""
        if coin.mint in block.created or self._market.pool(coin.mint) is not None:
            return True
        curve = self._market.curve(coin.mint)
        if curve is None:
            self._begin(coin, block)
        elif curve.complete:
            self._market.migrate(coin.mint)
            return False
        return True

    def _begin(self, coin: _Coin, block: NextBlock) -> None:
        """Let a coin exist: by a transaction if the tape shows its launch, else as the tape shows it first."""
        reserves = reserves_before(coin.first)
        if reserves.is_launch or not reserves.are_possible:
            self._market.create_coin(coin.name, None if coin.is_derived else coin.mint, coin.creator)
            block.create(coin.mint)
            return
        write_coin(self._market.chain, coin.mint, coin.creator.pubkey(), coin.first, reserves)
        self._market.coins.append(coin.mint)

    def _trade(self, event: Event, coin: _Coin, block: NextBlock) -> None:
        """Queue a trade, if the program will accept it."""
        trader, is_buy = self._trader(event.trader), event.side == BUY_SIDE
        amount, before = self._budget(event, coin, block), list[Instruction]()
        if not is_buy:
            amount, before = self._for_sale(event, coin, trader, block)
        if amount == 0:
            self.skipped["sales without tokens"] += 1
            return
        swap = self._market.swap(trader.pubkey(), coin.mint, is_buy, amount)
        try:
            block.trade(swap)
        except ProgramError as error:
            self.skipped[f"refused by the program: {error.code}"] += 1
            return
        self._market.send_swap(trader, swap, *before, signers=[coin.creator] if before else [])

    def _budget(self, event: Event, coin: _Coin, block: NextBlock) -> int:
        """Return the lamports with fees that buy at least what the trade of the tape has bought, at its price."""
        in_pool = coin.mint not in block.created and self._market.pool(coin.mint) is not None
        fees_bps = sum(block.pool_fees(coin.mint) if in_pool else CURVE_FEES)
        return mul_div_up(event.sol_lamports + 1, _BPS + fees_bps, _BPS) + 3  # three fees are rounded up

    def _for_sale(self, event: Event, coin: _Coin, trader: Keypair, block: NextBlock) -> tuple[int, list[Instruction]]:
        """Return the raw tokens that a trader can sell, and the instructions that bring him those that he lacks.

        The tape does not say how a seller got tokens that he has not bought. They come from the coin's creator, who
        holds what was bought before the tape began.
        """
        user, creator = trader.pubkey(), coin.creator.pubkey()
        held = block.held(user, coin.mint)
        lacking = max(event.token_raw - held, 0)
        if lacking * _ROUNDING <= held:
            return event.token_raw - lacking, []
        given = min(lacking, block.held(creator, coin.mint)) if creator != user else 0
        if (held + given) * _ROUNDING < event.token_raw:
            return 0, []
        self.smaller += held + given < event.token_raw
        if not given:
            return held, []
        block.move(creator, coin.mint, -given)
        block.move(user, coin.mint, given)
        source, target = (token_address(key, coin.mint, TOKEN_2022) for key in (creator, user))
        transfer = transfer_checked(source, coin.mint, target, creator, given, _DECIMALS, TOKEN_2022)
        return held + given, [create_token_account(user, user, coin.mint, TOKEN_2022), transfer]

    def _coin(self, token: int) -> _Coin:
        """Return a coin by its index in the tape. Its creator is its first trader, who usually is its developer."""
        if token not in self._coins:
            name, first = self._trades.mints[token], self._trades.starts[token]
            mint = _address(name)
            derived = keypair_of(f"mint of {name}").pubkey()
            is_launch = reserves_before(first).is_launch
            creator = self._trader(first.trader) if is_launch else self._funded(f"creator of {name}", LAMPORTS_PER_SOL)
            self._coins[token] = _Coin(mint or derived, name, mint is None, creator, first)
        return self._coins[token]

    def _trader(self, number: int) -> Keypair:
        """Return the wallet of a trader of the tape, with the lamports that it needs."""
        if number not in self._traders:
            self._traders[number] = self._funded(f"trader {number} of a tape", self._trades.funds[number])
        return self._traders[number]

    def _funded(self, name: str, lamports: int) -> Keypair:
        keypair = keypair_of(name)
        self._market.chain.set_account(keypair.pubkey(), Account(lamports, b"", SYSTEM))
        return keypair


def _address(name: str) -> Pubkey | None:
    """Return the address that a text is; None if it is none."""
    try:
        return Pubkey.from_string(name)
    except ValueError:
        return None
