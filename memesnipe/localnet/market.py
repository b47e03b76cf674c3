"""A market on the local chain: coins are created, traded, completed and migrated by wallets of its own.

Everything happens through transactions, so that a client of the chain sees what it would see on mainnet.
"""

import struct
from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import Final

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.mempool import Entry
from memesnipe.localnet.programs.creation import create_coin
from memesnipe.localnet.programs.jupiter import Jupiter
from memesnipe.localnet.programs.migration import migrate
from memesnipe.localnet.programs.pumpfun import PumpFun
from memesnipe.localnet.programs.pumpswap import PumpSwap
from memesnipe.localnet.programs.state import pay, rent
from memesnipe.localnet.sent import SentTransactions
from memesnipe.localnet.tokens import token_account
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.market.pools import MIGRATION_FEE_LAMPORTS
from memesnipe.market.pump import PUMP_FEES_BPS
from memesnipe.solana.addresses import (
    COMPUTE_BUDGET,
    PUMP,
    PUMP_AMM,
    PUMP_AMM_GLOBAL_CONFIG,
    PUMP_GLOBAL,
    SYSTEM,
    TOKEN,
    TOKEN_2022,
    WRAPPED_SOL,
    token_address,
)
from memesnipe.solana.instructions import pumpfun, pumpswap
from memesnipe.solana.instructions.pumpfun_accounts import TradeV2Accounts
from memesnipe.solana.instructions.pumpswap_cashback import CashbackTradeAccounts, cashback_trade_accounts
from memesnipe.solana.instructions.spl import close_account, create_token_account, sync_native
from memesnipe.solana.pump_accounts import BondingCurve, PumpPool
from memesnipe.solana.pump_config import PoolConfig, PumpGlobal

_TRADER_LAMPORTS: Final = 100_000 * LAMPORTS_PER_SOL
_TOKEN_ACCOUNT_BYTES: Final = 165
# The mint of wrapped SOL: no authority (4 + 32 bytes), supply 0, 9 decimals, initialized, no authority that freezes.
_SOL_MINT: Final = bytes(36) + bytes(8) + bytes([9, 1]) + bytes(36)


def keypair_of(name: str) -> Keypair:
    """Return a keypair that depends on a name alone."""
    return Keypair.from_seed(sha256(name.encode()).digest())


CurveSwap = pumpfun.BuyExactQuoteInV3 | pumpfun.BuyExactQuoteInV2 | pumpfun.SellV3 | pumpfun.SellV2
Swap = CurveSwap | pumpswap.PoolBuyExactQuoteIn | pumpswap.PoolSell
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
        self.sent = SentTransactions()
        chain.listeners.append(self.sent.note)
        for program in (PumpFun(), PumpSwap(), Jupiter()):
            chain.add_program(program)
        for trader in self._traders:
            chain.set_account(trader.pubkey(), Account(_TRADER_LAMPORTS, b"", SYSTEM))
        for wallet in (BUYBACK_WALLET, FEE_RECIPIENT):
            chain.set_account(wallet, Account(LAMPORTS_PER_SOL, b"", SYSTEM))
        chain.set_account(WRAPPED_SOL, Account(rent(len(_SOL_MINT)), _SOL_MINT, TOKEN))
        for wallet in (BUYBACK_WALLET, FEE_RECIPIENT):
            self._add_wrapped_sol(wallet)
        known = PumpGlobal(FEE_RECIPIENT, BUYBACK_WALLET, *PUMP_FEES_BPS, MIGRATION_FEE_LAMPORTS).encode()
        chain.set_account(PUMP_GLOBAL, Account(rent(len(known)), known, PUMP))
        config = PoolConfig(BUYBACK_WALLET, 0, FEE_RECIPIENT).encode()
        chain.set_account(PUMP_AMM_GLOBAL_CONFIG, Account(rent(len(config)), config, PUMP_AMM))

    def create_coin(
        self, name: str, mint: Pubkey | None = None, creator: Keypair | None = None, *, is_cashback: bool = False
    ) -> Pubkey:
        """Queue the creation of a coin; return its mint.

        Args:
            name: of the coin.
            mint: a key that nobody here can sign with, and the local chain accepts that; None for one by the name.
            creator: who pays for it; None for the first trader.
            is_cashback: whether its creator's fee goes to its traders.
        """
        keypair, payer = keypair_of(f"mint of {name}"), creator or self._traders[0]
        address = keypair.pubkey() if mint is None else mint
        instruction = create_coin(address, payer.pubkey(), name, name[:8].upper(), is_cashback=is_cashback)
        self.send(payer, instruction, signers=[keypair] if mint is None else [])
        self.coins.append(address)
        return address

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

    def swap(self, user: Pubkey, mint: Pubkey, is_buy: bool, amount: int, least: int = 0) -> Swap:
        """Return a trade on the curve or in the pool, wherever the coin is now.

        Args:
            user: who trades.
            mint: of the coin.
            is_buy: whether it is a buy.
            amount: lamports with fees of a buy, raw tokens of a sale.
            least: raw tokens or lamports that it has to bring.
        """
        pool = self.pool(mint)
        if pool is None:
            return self._on_curve(user, mint, is_buy, amount, least)
        address = pumpswap.canonical_pool(mint)
        accounts: pumpswap.PoolTradeAccounts | CashbackTradeAccounts
        if pool.is_cashback_coin:
            accounts = cashback_trade_accounts(
                address, mint, TOKEN_2022, user, pool.coin_creator, FEE_RECIPIENT, BUYBACK_WALLET
            )
        else:
            accounts = pumpswap.pool_trade_accounts(address, mint, TOKEN_2022, user, BUYBACK_WALLET)
        if not is_buy:
            return pumpswap.PoolSell(accounts, amount, least)
        return pumpswap.PoolBuyExactQuoteIn(accounts, amount, least, True if pool.is_cashback_coin else None)

    def _on_curve(self, user: Pubkey, mint: Pubkey, is_buy: bool, amount: int, least: int) -> CurveSwap:
        curve = self.curve(mint)
        if curve is not None and curve.is_cashback_coin:
            v2 = pumpfun.trade_v2_accounts(mint, TOKEN_2022, user, curve.creator, FEE_RECIPIENT, BUYBACK_WALLET)
            return (pumpfun.BuyExactQuoteInV2 if is_buy else pumpfun.SellV2)(v2, amount, least)
        v3 = pumpfun.trade_v3_accounts(mint, TOKEN_2022, user, BUYBACK_WALLET)
        return (pumpfun.BuyExactQuoteInV3 if is_buy else pumpfun.SellV3)(v3, amount, least)

    def send_swap(
        self, trader: Keypair, swap: Swap, *before: Instruction, signers: Sequence[Keypair] = ()
    ) -> Signature:
        """Queue a trade with the accounts that it needs, after further instructions."""
        user = trader.pubkey()
        is_buy = isinstance(swap, pumpfun.BuyExactQuoteInV3 | pumpfun.BuyExactQuoteInV2 | pumpswap.PoolBuyExactQuoteIn)
        setup = [create_token_account(user, user, swap.accounts.base_mint, TOKEN_2022)] if is_buy else []
        if not isinstance(swap, pumpswap.PoolBuyExactQuoteIn | pumpswap.PoolSell):
            return self.send(trader, *before, *setup, pumpfun.encode(swap), signers=signers)
        lamports = swap.spendable_quote_in if isinstance(swap, pumpswap.PoolBuyExactQuoteIn) else 0
        return self.send(trader, *before, *setup, *_wrapped(user, lamports, pumpswap.encode(swap)), signers=signers)

    def buy(self, trader: Keypair, mint: Pubkey, lamports: int, min_tokens_raw: int = 0) -> Signature:
        """Queue a buy for a budget in lamports with fees, on the curve or in the pool."""
        return self.send_swap(trader, self.swap(trader.pubkey(), mint, True, lamports, min_tokens_raw))

    def sell(self, trader: Keypair, mint: Pubkey, token_raw: int, min_lamports: int = 0) -> Signature:
        """Queue a sale, on the curve or in the pool."""
        return self.send_swap(trader, self.swap(trader.pubkey(), mint, False, token_raw, min_lamports))

    def buy_rest(self, trader: Keypair, mint: Pubkey) -> Signature:
        """Queue the buy of exactly what is left on a curve, which completes it."""
        curve = self.curve(mint)
        if curve is None:
            raise ValueError(f"there is no curve of {mint}")
        accounts = self._on_curve(trader.pubkey(), mint, True, 1, 0).accounts
        left, most = curve.real_token_reserves, 2**63
        buy: pumpfun.BuyV2 | pumpfun.BuyV3
        if isinstance(accounts, TradeV2Accounts):
            buy = pumpfun.BuyV2(accounts, left, most)
        else:
            buy = pumpfun.BuyV3(accounts, left, most)
        setup = create_token_account(trader.pubkey(), trader.pubkey(), mint, TOKEN_2022)
        return self.send(trader, setup, pumpfun.encode(buy))

    def migrate(self, mint: Pubkey) -> Signature:
        """Queue the migration of a coin whose curve is complete."""
        return self.send(self._traders[0], migrate(mint, self._traders[0].pubkey()))

    def step(self, mint: Pubkey | None = None, buying: float = 0.55) -> Signature | None:
        """Queue one trade of a random wallet in a coin, or its migration.

        Args:
            mint: of the coin; None for a random one.
            buying: probability that a wallet with tokens buys more.

        Returns:
            The signature; None if there is no coin, or its creation is in no block yet.
        """
        if not self.coins:
            return None
        mint, trader = mint or self._random.choice(self.coins), self._random.choice(self._traders)
        curve = self.curve(mint)
        if curve is None:
            return None
        if curve.complete and self.pool(mint) is None:
            return self.migrate(mint)
        held = self.balance(trader.pubkey(), mint)
        if held and self._random.random() >= buying:
            return self.sell(trader, mint, max(int(held * self._random.uniform(0.1, 1.0)), 1))
        return self.buy(trader, mint, int(LAMPORTS_PER_SOL * self._random.lognormvariate(-1.5, 1.2)) + 10_000)

    def send(self, payer: Keypair, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> Signature:
        """Queue a transaction; faults spare it. A signature stays empty where its key is not among the signers."""
        # A compute limit of its own, so that no two transactions are the same.
        unique = Instruction(COMPUTE_BUDGET, struct.pack("<BI", 2, 1_000_000 - self.sent.sent % 500_000), [])
        blockhash, _ = self.chain.latest_blockhash()
        message = MessageV0.try_compile(payer.pubkey(), [unique, *instructions], [], blockhash)
        signed = to_bytes_versioned(message)
        by_key = {one.pubkey(): one for one in (payer, *signers)}
        required = message.account_keys[: message.header.num_required_signatures]
        signatures = [by_key[key].sign_message(signed) if key in by_key else Signature.default() for key in required]
        transaction = VersionedTransaction.populate(message, signatures)
        self.chain.mempool.add(Entry((transaction,), is_spared=True))
        self.sent.add(signatures[0], self.chain.ledger.head.height)
        return signatures[0]

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
