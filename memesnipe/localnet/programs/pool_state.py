"""A pool of PumpSwap as the instructions of a transaction leave it."""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from memesnipe.localnet.programs import MarketAccounts
from memesnipe.localnet.programs.state import mint_supply, read, token_amount
from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import Pool
from memesnipe.solana.addresses import PUMP_AMM
from memesnipe.solana.pump_accounts import NO_KEY, PumpPool


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool and its vaults, as the instructions so far leave them; raw tokens and lamports."""

    account: PumpPool
    base: int
    quote: int
    supply_raw: int

    @property
    def pool(self) -> Pool:
        """Return the pool as the market's maths take it."""
        effective = self.quote + self.account.virtual_quote_reserves
        real = min(effective, self.quote)
        has_creator = int(self.account.coin_creator != NO_KEY)
        return Pool(PUMPSWAP, effective, self.base, real, self.base, self.supply_raw, 0, 0, has_creator)


def pool_state(address: Pubkey, state: MarketAccounts) -> PoolState:
    """Return a pool as the instructions so far leave it.

    Raises:
        ProgramError: there is no such pool.
    """
    pending = state.pending.get(address)
    if isinstance(pending, PoolState):
        return pending
    account = read(state, address, PUMP_AMM, PumpPool.decode)
    assert isinstance(account, PumpPool)  # noqa: S101 - for mypy
    base = token_amount(state, account.pool_base_token_account)
    quote = token_amount(state, account.pool_quote_token_account)
    return PoolState(account, base, quote, mint_supply(state, account.base_mint))
