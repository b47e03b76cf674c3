"""The static review of a transaction: programs, instructions, accounts and amounts, without running it."""

from collections.abc import Callable
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.intent import Intent
from memesnipe.signer.message import ResolvedTransaction
from memesnipe.signer.policy import Policy
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules import compute_budget, swaps, system, tokens
from memesnipe.signer.rules.effects import Context, Effects
from memesnipe.solana.addresses import ASSOCIATED_TOKEN, COMPUTE_BUDGET, SYSTEM, TOKEN, TOKEN_2022

Rule = Callable[[Instruction, Effects, Context], None]

_CLOCK_AHEAD_MS: Final = 2_000
_RULES: Final[dict[Pubkey, Rule]] = {
    COMPUTE_BUDGET: compute_budget.check,
    SYSTEM: system.check,
    TOKEN: tokens.check,
    TOKEN_2022: tokens.check,
    ASSOCIATED_TOKEN: tokens.check_associated,
}


def review(transaction: ResolvedTransaction, wallet: Pubkey, policy: Policy) -> Effects:
    """Return what a transaction does.

    Raises:
        RefusedError: the policy does not allow it.
    """
    context = Context(wallet, policy, transaction.static_keys)
    rules = _RULES | swaps.rules(policy)
    for program in transaction.programs:
        if program not in rules:
            raise RefusedError(Reason.PROGRAM, f"the program {program} is not allowed")
    effects = Effects()
    for instruction in transaction.instructions:
        rules[instruction.program_id](instruction, effects, context)
    tokens.check_created(effects)
    tokens.check_closed(effects, context)
    swaps.check_cashback(effects)
    _check_costs(effects, policy)
    return effects


def check_intent(effects: Effects, intent: Intent, policy: Policy, now_ms: int) -> None:
    """Check that the swap is the one that was decided, a moment ago.

    Raises:
        RefusedError: it is not.
    """
    swap = effects.swap
    if (swap.side, swap.mint) != (intent.side, intent.mint_key):
        raise RefusedError(Reason.INTENT, f"a {swap.side} of {swap.mint}; the intent is another one")
    if swap.max_in > intent.max_in:
        raise RefusedError(Reason.INTENT, f"the swap takes up to {swap.max_in}; the intent {intent.max_in}")
    if swap.min_out < intent.min_out:
        raise RefusedError(Reason.INTENT, f"the swap gives at least {swap.min_out}; the intent {intent.min_out}")
    age_ms = now_ms - intent.decided_ms
    if not -_CLOCK_AHEAD_MS <= age_ms <= policy.freshness.max_intent_age_s * 1_000:
        raise RefusedError(Reason.STALE, f"the decision is {age_ms} ms old")


def _check_costs(effects: Effects, policy: Policy) -> None:
    fee, tip = effects.priority_fee_lamports, effects.tip_lamports
    if fee > policy.fees.priority_fee:
        raise RefusedError(Reason.PRIORITY_FEE, f"a priority fee of {fee} lamports; {policy.fees.priority_fee} at most")
    if tip > policy.fees.tip:
        raise RefusedError(Reason.TIP, f"a tip of {tip} lamports; {policy.fees.tip} at most")
    wanted = effects.swap.max_in if effects.swap.side == "buy" else 0
    if effects.wrapped_lamports > wanted:
        raise RefusedError(Reason.SWAP, f"{effects.wrapped_lamports} lamports are wrapped; the swap takes {wanted}")
    if effects.swap.side == "buy" and effects.declared_lamports > policy.spend.per_transaction:
        spent, limit = effects.declared_lamports, policy.spend.per_transaction
        raise RefusedError(Reason.SPEND_TRANSACTION, f"{spent} lamports; {limit} at most for one transaction")
