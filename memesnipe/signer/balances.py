"""The simulated effect of a transaction on the wallet must be what its instructions declare, and nothing more.

A transaction changes only accounts that it names as writable; the simulation shows all of these, so nothing of the
wallet that it changes is left out, whichever program changes it.
"""

from collections.abc import Mapping

from solders.pubkey import Pubkey

from memesnipe.signer.chain import Account, Simulation, TokenAccount, read_token_account
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects
from memesnipe.solana.addresses import SYSTEM

Accounts = Mapping[Pubkey, Account]


def check_balances(simulation: Simulation, effects: Effects, context: Context) -> int:
    """Check a simulation; return what the transaction costs at most, in lamports, with the rent of new accounts.

    Raises:
        RefusedError: it fails, or costs SOL or tokens or gives away rights beyond the declared swap.
    """
    if simulation.error:
        raise RefusedError(Reason.SIMULATION, f"the transaction fails: {simulation.error}")
    before, after = _own(simulation.before, context), _own(simulation.after, context)
    _check_rights(simulation, before, after, effects, context)
    _check_tokens(before, after, effects, context)
    rent = _check_rent(simulation, after, context)
    lost = _cash(simulation.before, context) - _cash(simulation.after, context)
    promised = effects.swap.min_out if effects.swap.side == "sell" else 0
    if lost > effects.declared_lamports + rent - promised:
        raise RefusedError(Reason.BALANCE, f"the wallet loses {lost} lamports, more than the transaction declares")
    return effects.declared_lamports + rent


def _own(accounts: Accounts, context: Context) -> dict[Pubkey, TokenAccount]:
    """Return the token accounts of the wallet."""
    found = {key: read_token_account(account) for key, account in accounts.items()}
    return {key: token for key, token in found.items() if token is not None and token.owner == context.wallet}


def _cash(accounts: Accounts, context: Context) -> int:
    """Return the wallet's SOL in lamports: its own and what is wrapped."""
    return sum(accounts[key].lamports for key in (context.wallet, context.wrapped_sol_account) if key in accounts)


def _check_rights(
    simulation: Simulation,
    before: Mapping[Pubkey, TokenAccount],
    after: Mapping[Pubkey, TokenAccount],
    effects: Effects,
    context: Context,
) -> None:
    """Check that the wallet alone can move what it has, after the transaction as before."""
    wallet = simulation.after.get(context.wallet)
    if wallet is not None and (wallet.owner != SYSTEM or wallet.data):
        raise RefusedError(Reason.AUTHORITY, "the wallet's account is given to a program")
    closed = {account for account, _ in effects.closed}
    for key, token in before.items():
        if key not in after:
            if key in closed and key not in simulation.after:
                continue
            raise RefusedError(Reason.AUTHORITY, f"the token account {key} is no longer the wallet's")
        if _rights(after[key]) != _rights(token):
            raise RefusedError(Reason.AUTHORITY, f"the rights of the token account {key} change")
    for key in after.keys() - before.keys():
        if after[key].delegate or after[key].close_authority:
            raise RefusedError(Reason.AUTHORITY, f"others get rights over the new token account {key}")


def _rights(token: TokenAccount) -> tuple[object, ...]:
    return token.mint, token.delegate, token.state, token.close_authority


def _check_tokens(
    before: Mapping[Pubkey, TokenAccount], after: Mapping[Pubkey, TokenAccount], effects: Effects, context: Context
) -> None:
    """Check that only the declared tokens leave the wallet, and that those bought arrive."""
    swap = effects.swap
    for key, token in before.items():
        lost = token.amount - (after[key].amount if key in after else 0)
        allowed = swap.max_in if swap.side == "sell" and key == swap.token_account else 0
        if key != context.wrapped_sol_account and lost > allowed:  # wrapped SOL counts as SOL
            raise RefusedError(Reason.BALANCE, f"the wallet loses {lost} of the token {token.mint}")
    if swap.side == "buy":
        had = before[swap.token_account].amount if swap.token_account in before else 0
        has = after[swap.token_account].amount if swap.token_account in after else 0
        if has - had < swap.min_out:
            raise RefusedError(Reason.BALANCE, f"the wallet gets {has - had} tokens of at least {swap.min_out}")


def _check_rent(simulation: Simulation, after: Mapping[Pubkey, TokenAccount], context: Context) -> int:
    """Return the lamports in new accounts, wrapped SOL excepted."""
    new = simulation.after.keys() - simulation.before.keys() - {context.wrapped_sol_account, context.wallet}
    foreign = sum(simulation.after[key].lamports for key in new if key not in after)
    if foreign > context.policy.fees.rent:
        raise RefusedError(Reason.BALANCE, f"{foreign} lamports of rent for accounts that are not the wallet's")
    return foreign + sum(simulation.after[key].lamports for key in new if key in after)
