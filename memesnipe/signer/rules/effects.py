"""What the instructions of a transaction do, as far as they say so themselves."""

from dataclasses import dataclass, field
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.intent import Side
from memesnipe.signer.policy import Policy
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.solana.addresses import TOKEN, WRAPPED_SOL, token_address

BASE_FEE_LAMPORTS: Final = 5_000  # a signature
MAX_COMPUTE_UNITS: Final = 1_400_000
_MICRO: Final = 1_000_000


@dataclass(frozen=True)
class Swap:
    """A swap between SOL and a token, into and out of the wallet's own accounts.

    Args:
        side: buy or sell of the token.
        mint: of the token.
        token_account: the wallet's associated account of the token.
        max_in: taken at most: lamports for a buy, raw tokens for a sell.
        min_out: given at least, by the program's own promise.
        is_cashback: whether it is a trade of a cashback coin in a pool, which uses accounts for cashback.
    """

    side: Side
    mint: Pubkey
    token_account: Pubkey
    max_in: int
    min_out: int
    is_cashback: bool = False


@dataclass(frozen=True)
class Context:
    """What the rules know: the wallet, the policy, and the accounts that are in the message itself."""

    wallet: Pubkey
    policy: Policy
    static_keys: frozenset[Pubkey]

    @property
    def wrapped_sol_account(self) -> Pubkey:
        """Return the wallet's associated account of wrapped SOL."""
        return token_address(self.wallet, WRAPPED_SOL, TOKEN)


@dataclass
class Effects:
    """The sum of what the instructions do; ``closed`` has accounts with their token programs."""

    compute_units: int | None = None
    compute_price: int | None = None
    budget_kinds: set[int] = field(default_factory=set)
    tip_lamports: int = 0
    wrapped_lamports: int = 0
    created_mints: list[Pubkey] = field(default_factory=list)
    closed: list[tuple[Pubkey, Pubkey]] = field(default_factory=list)
    creates_cashback_accounts: bool = False
    swaps: list[Swap] = field(default_factory=list)

    @property
    def priority_fee_lamports(self) -> int:
        """Return the fee for priority; without a limit of compute units the largest possible one counts."""
        units = MAX_COMPUTE_UNITS if self.compute_units is None else min(self.compute_units, MAX_COMPUTE_UNITS)
        return -(-units * (self.compute_price or 0) // _MICRO)

    @property
    def costs_lamports(self) -> int:
        """Return fees and tips."""
        return BASE_FEE_LAMPORTS + self.priority_fee_lamports + self.tip_lamports

    @property
    def swap(self) -> Swap:
        """Return the swap.

        Raises:
            RefusedError: there is none, or more than one.
        """
        if len(self.swaps) != 1:
            raise RefusedError(Reason.SWAP, f"{len(self.swaps)} swaps; there must be exactly one")
        return self.swaps[0]

    @property
    def declared_lamports(self) -> int:
        """Return what is spent at most by the instructions' own parameters, without rent."""
        return self.costs_lamports + (self.swap.max_in if self.swap.side == "buy" else 0)


def account_keys(instruction: Instruction) -> list[Pubkey]:
    """Return the addresses of an instruction's accounts."""
    return [meta.pubkey for meta in instruction.accounts]


def refuse_instruction(program: str, name: str) -> RefusedError:
    """Return the refusal of an instruction that no rule allows."""
    return RefusedError(Reason.INSTRUCTION, f"{program}: {name} is not signed")
