"""A market on the local chain: coins are created, traded, completed and migrated by wallets of its own.

Everything happens through transactions, so that a client of the chain sees what it would see on mainnet.
"""

import struct
from hashlib import sha256
from random import Random
from typing import Final

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.programs.creation import create_coin
from memesnipe.localnet.programs.jupiter import Jupiter
from memesnipe.localnet.programs.migration import migrate
from memesnipe.localnet.programs.pumpfun import PumpFun
from memesnipe.localnet.programs.pumpswap import PumpSwap
from memesnipe.localnet.programs.state import pay, rent
from memesnipe.localnet.tokens import token_account
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.solana.addresses import COMPUTE_BUDGET, SYSTEM, TOKEN, TOKEN_2022, WRAPPED_SOL, token_address
from memesnipe.solana.instructions import pumpfun, pumpswap
from memesnipe.solana.instructions.spl import close_account, create_token_account, sync_native
from memesnipe.solana.pump_accounts import BondingCurve, PumpPool

_TRADER_LAMPORTS: Final = 100_000 * LAMPORTS_PER_SOL
_TOKEN_ACCOUNT_BYTES: Final = 165
# The mint of wrapped SOL: no authority (4 + 32 bytes), supply 0, 9 decimals, initialized, no authority that freezes.
_SOL_MINT: Final = bytes(36) + bytes(8) + bytes([9, 1]) + bytes(36)


def keypair_of(name: str) -> Keypair:
    """Return a keypair that depends on a name alone."""
    return Keypair.from_seed(sha256(name.encode()).digest())


BUYBACK_WALLET: Final = keypair_of("buyback fee recipient").pubkey()
FEE_RECIPIENT: Final = keypair_of("fee recipient").pubkey()


class ChainMarket:
    """The coins of a chain and the wallets that trade them.

    Args:
        chain: the chain; the programs and the accounts that they need are added to it.
        seed: of the generated trades.
        traders: number of wallets that trade.
    """

    def __init__(self, chain: Chain, seed: int = 0, traders: int = 8) -> None:
        self.chain = chain
        self.coins: list[Pubkey] = []
        self._random = Random(seed)  # noqa: S311 - of a simulation
        self._traders = [keypair_of(f"trader {seed} {number}") for number in range(traders)]
        self._sent = 0
        for program in (PumpFun(), PumpSwap(), Jupiter()):
            chain.add_program(program)
        for trader in self._traders:
            chain.set_account(trader.pubkey(), Account(_TRADER_LAMPORTS, b"", SYSTEM))
        for wallet in (BUYBACK_WALLET, FEE_RECIPIENT):
            chain.set_account(wallet, Account(LAMPORTS_PER_SOL, b"", SYSTEM))
        chain.set_account(WRAPPED_SOL, Account(rent(len(_SOL_MINT)), _SOL_MINT, TOKEN))
        self._add_wrapped_sol(BUYBACK_WALLET)

    def create_coin(self, name: str) -> Pubkey:
        """Queue the creation of a coin; return its mint."""
        mint, creator = keypair_of(f"mint of {name}"), self._traders[0]
        self.send(creator, create_coin(mint.pubkey(), creator.pubkey(), name, name[:8].upper()), signer=mint)
        self.coins.append(mint.pubkey())
        return mint.pubkey()

    def curve(self, mint: Pubkey) -> BondingCurve | None:
        """Return the curve of a coin; None before its creation is in a block."""
        account = self.chain.account(pumpfun.bonding_curve(mint))
        return BondingCurve.decode(bytes(account.data)) if account else None

    def pool(self, mint: Pubkey) -> PumpPool | None:
        """Return the pool of a coin; None before its migration."""
        account = self.chain.account(pumpswap.canonical_pool(mint))
        return PumpPool.decode(bytes(account.data)) if account else None

    def vaults(self, mint: Pubkey) -> tuple[int, int] | None:
        """Return the raw tokens and the lamports in the vaults of a coin's pool; None before its migration."""
        pool = self.pool(mint)
        if pool is None:
            return None
        keys = (pool.pool_base_token_account, pool.pool_quote_token_account)
        base, quote = (token_account(self.chain.account(key)) for key in keys)
        return (base.amount, quote.amount) if base and quote else None

    def balance(self, owner: Pubkey, mint: Pubkey) -> int:
        """Return the raw tokens of a coin that a wallet has."""
        found = token_account(self.chain.account(token_address(owner, mint, TOKEN_2022)))
        return found.amount if found else 0

    def buy(self, trader: Keypair, mint: Pubkey, lamports: int, min_tokens_raw: int = 0) -> Signature:
        """Queue a buy for a budget in lamports with fees, on the curve or in the pool."""
        user = trader.pubkey()
        account = create_token_account(user, user, mint, TOKEN_2022)
        if self.pool(mint) is None:
            accounts = pumpfun.trade_v3_accounts(mint, TOKEN_2022, user, BUYBACK_WALLET)
            trade = pumpfun.BuyExactQuoteInV3(accounts, lamports, min_tokens_raw)
            return self.send(trader, account, pumpfun.encode(trade))
        pool = pumpswap.canonical_pool(mint)
        in_pool = pumpswap.pool_trade_accounts(pool, mint, TOKEN_2022, user, BUYBACK_WALLET)
        swap = pumpswap.PoolBuyExactQuoteIn(in_pool, lamports, min_tokens_raw)
        return self.send(trader, account, *_wrapped(user, lamports, pumpswap.encode(swap)))

    def sell(self, trader: Keypair, mint: Pubkey, token_raw: int, min_lamports: int = 0) -> Signature:
        """Queue a sale, on the curve or in the pool."""
        user = trader.pubkey()
        if self.pool(mint) is None:
            accounts = pumpfun.trade_v3_accounts(mint, TOKEN_2022, user, BUYBACK_WALLET)
            return self.send(trader, pumpfun.encode(pumpfun.SellV3(accounts, token_raw, min_lamports)))
        pool = pumpswap.canonical_pool(mint)
        in_pool = pumpswap.pool_trade_accounts(pool, mint, TOKEN_2022, user, BUYBACK_WALLET)
        swap = pumpswap.PoolSell(in_pool, token_raw, min_lamports)
        return self.send(trader, *_wrapped(user, 0, pumpswap.encode(swap)))

    def migrate(self, mint: Pubkey) -> Signature:
        """Queue the migration of a coin whose curve is complete."""
        return self.send(self._traders[0], migrate(mint, self._traders[0].pubkey()))

    def step(self) -> Signature | None:
        """Queue one trade of a random wallet in a random coin, or its migration; None if there is no coin."""
        if not self.coins:
            return None
        mint, trader = self._random.choice(self.coins), self._random.choice(self._traders)
        curve = self.curve(mint)
        if curve is None:
            return None
        if curve.complete and self.pool(mint) is None:
            return self.migrate(mint)
        held = self.balance(trader.pubkey(), mint)
        if held and self._random.random() < 0.45:
            return self.sell(trader, mint, max(int(held * self._random.uniform(0.1, 1.0)), 1))
        return self.buy(trader, mint, int(LAMPORTS_PER_SOL * self._random.lognormvariate(-1.5, 1.2)) + 10_000)

    def send(self, payer: Keypair, *instructions: Instruction, signer: Keypair | None = None) -> Signature:
        """Queue a transaction."""
        self._sent += 1  # a compute limit of its own, so that no two transactions are the same
        unique = Instruction(COMPUTE_BUDGET, struct.pack("<BI", 2, 1_000_000 - self._sent % 500_000), [])
        blockhash, _ = self.chain.latest_blockhash()
        message = MessageV0.try_compile(payer.pubkey(), [unique, *instructions], [], blockhash)
        signers = [payer] if signer is None else [payer, signer]
        return self.chain.send(VersionedTransaction(message, signers))

    def _add_wrapped_sol(self, owner: Pubkey) -> None:
        """Give a wallet an empty account of wrapped SOL."""
        least = rent(_TOKEN_ACCOUNT_BYTES)
        data = bytes(WRAPPED_SOL) + bytes(owner) + bytes(8) + bytes(36) + b"\1"
        data += struct.pack("<IQ", 1, least) + bytes(8) + bytes(36)
        self.chain.set_account(token_address(owner, WRAPPED_SOL, TOKEN), Account(least, data, TOKEN))


def _wrapped(user: Pubkey, lamports: int, swap: Instruction) -> list[Instruction]:
    """Return a swap with wrapped SOL: what it needs before, and the unwrapping of what is left."""
    account = token_address(user, WRAPPED_SOL, TOKEN)
    before = [create_token_account(user, user, WRAPPED_SOL, TOKEN)]
    if lamports:
        before += [pay(user, account, lamports), sync_native(account, TOKEN)]
    return [*before, swap, close_account(account, user, user, TOKEN)]
