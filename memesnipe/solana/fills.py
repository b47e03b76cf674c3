"""Fills from the balances of an executed transaction. They conserve lamports: cash changes by what the wallet changes.

The wallet's SOL is its lamports and the wrapped SOL in its token accounts. A change of it has these parts:
- the SOL traded and the pool's fee: exact where the pool's trade event is known. Without one the pool's fee is 0, and
  the SOL traded is what remains of the change after the network's part; it then includes that fee.
- the network's part, `Fill.network_fee_lamports`: base fee, priority fee, tip, and the rent of accounts that the
  transaction created. Closing an account returns its rent, so this part of a sale can be negative. Rent is no part of
  the SOL traded, because the price of a fill is compared with that of a pool. Where a trade event is known, the
  network's part is whatever else has changed, rent of accounts of other programs included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.solana.executed import Executed, TokenBalance

WRAPPED_SOL: Final = "So11111111111111111111111111111111111111112"
NOT_TRADED: Final = "it succeeded without moving tokens"


@dataclass(frozen=True, slots=True)
class PoolTrade:
    """The pool's own account of a trade, from its event."""

    sol_lamports: int  # before fees
    fee_lamports: int
    pool_sol_lamports: int  # paid into the pool or out of it


@dataclass(frozen=True, slots=True)
class WalletChange:
    """What a transaction changed in a wallet."""

    lamports: int  # wrapped SOL included, rent excluded
    token_raw: int
    rent_lamports: int  # paid for its token accounts; negative: returned
    tip_lamports: int


def wallet_change(executed: Executed, wallet: str, mint: str, tip_accounts: frozenset[str]) -> WalletChange:
    """Return the changes of a wallet by a transaction.

    Args:
        executed: the transaction.
        wallet: its address.
        mint: of the token traded.
        tip_accounts: accounts whose increase is a tip.

    Raises:
        ValueError: the wallet is not among the accounts.
    """
    meta, accounts = executed.meta, executed.accounts
    changes = [after - before for before, after in zip(meta.pre_balances, meta.post_balances, strict=True)]
    before, after = _owned(meta.pre_token_balances, wallet), _owned(meta.post_token_balances, wallet)
    token_raw = wrapped = rent = 0
    for index in before.keys() | after.keys():
        key = (after.get(index) or before[index]).mint
        change = _raw(after, index) - _raw(before, index)
        token_raw += change if key == mint else 0
        wrapped += change if key == WRAPPED_SOL else 0
        rent += changes[index] - (change if key == WRAPPED_SOL else 0)
    tips = sum(change for account, change in zip(accounts, changes, strict=True) if account in tip_accounts)
    return WalletChange(changes[accounts.index(wallet)] + wrapped, token_raw, rent, tips)


def fill_from(order: Order, executed: Executed, change: WalletChange, trade: PoolTrade | None, ts: int) -> Fill:
    """Return the fill of an order whose transaction was executed.

    Args:
        order: of the transaction.
        executed: the transaction.
        change: of the wallet that signed it.
        trade: the pool's account of it; None where that is unknown.
        ts: ns since 1970 of the fill.
    """
    is_entry = order.side in ENTRIES
    token_raw = change.token_raw if is_entry else -change.token_raw
    if executed.meta.err is not None or token_raw <= 0:
        failure = NOT_TRADED if executed.meta.err is None else error_text(executed.meta.err)
        return Fill(order, ts, 0, 0, 0, 0, -change.lamports, 0, failure)
    sign = 1 if is_entry else -1
    if trade is None:
        network = executed.meta.fee + change.tip_lamports + change.rent_lamports
        sol = sign * (-change.lamports - network)
        if sol >= 0:
            return Fill(order, ts, 0, token_raw, sol, 0, network, sol, "")
        trade = PoolTrade(0, 0, 0)
    network = -change.lamports - sign * trade.sol_lamports - trade.fee_lamports
    return Fill(
        order, ts, 0, token_raw, trade.sol_lamports, trade.fee_lamports, network, trade.pool_sol_lamports, ""
    )  # fmt: skip


def error_text(err: object) -> str:
    """Return the error of a transaction as the cluster's JSON, shortened."""
    return msgspec.json.encode(err).decode()[:200]


def _owned(balances: list[TokenBalance] | None, wallet: str) -> dict[int, TokenBalance]:
    return {one.account_index: one for one in balances or () if one.owner == wallet}


def _raw(balances: Mapping[int, TokenBalance], index: int) -> int:
    return int(balances[index].ui_token_amount.amount) if index in balances else 0
