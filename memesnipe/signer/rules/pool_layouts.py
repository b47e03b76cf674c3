"""Layouts of the swaps of pump.fun and PumpSwap: where amounts and accounts are.

Sources: the IDLs of pump-sdk 2.0.0 and 4.0.0 (`pump.json`, `pump_amm.json`) and `pump-fun/pump-public-docs`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from memesnipe.signer.chain import TOKEN_PROGRAM, TOKEN_PROGRAMS
from memesnipe.signer.intent import Side
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import WRAPPED_SOL, Swap, own_account

PUMP: Final = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
PUMPSWAP: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")


@dataclass(frozen=True)
class Places:
    """Positions in an instruction's accounts."""

    user: int
    base_mint: int
    quote_mint: int
    base_program: int
    quote_program: int
    user_base: int
    user_quote: int


@dataclass(frozen=True)
class PoolLayout:
    """One instruction.

    Args:
        name: of the instruction.
        side: what it does with the base token.
        exact_out: whether the first amount is what it gives, and the second what it takes at most; else the first is
            what it takes, and the second what it gives at least.
        places: of the accounts.
        accounts: allowed numbers of accounts.
        data_bytes: of the discriminator and the parameters.
    """

    name: str
    side: Side
    exact_out: bool
    places: Places
    accounts: tuple[int, ...]
    data_bytes: int = 24

    def read(self, data: bytes, keys: Sequence[Pubkey], wallet: Pubkey) -> Swap:
        """Return the swap.

        Raises:
            RefusedError: the other side is not SOL, or an account is not the wallet's.
        """
        at = self.places
        mint, program = keys[at.base_mint], keys[at.base_program]
        if keys[at.quote_mint] != WRAPPED_SOL or mint == WRAPPED_SOL:
            raise RefusedError(Reason.SWAP, f"{self.name} of {mint} against {keys[at.quote_mint]}; only SOL is allowed")
        if program not in TOKEN_PROGRAMS or keys[at.quote_program] != TOKEN_PROGRAM:
            raise RefusedError(Reason.ACCOUNT, f"{self.name}: a token program is another one")
        token_account = own_account(wallet, mint, program)
        if keys[at.user_base] != token_account:
            raise RefusedError(Reason.DESTINATION, f"{self.name}: the token account is not the wallet's")
        if keys[at.user_quote] != own_account(wallet, WRAPPED_SOL, TOKEN_PROGRAM):
            raise RefusedError(Reason.DESTINATION, f"{self.name}: the account of wrapped SOL is not the wallet's")
        first, second = int.from_bytes(data[8:16], "little"), int.from_bytes(data[16:24], "little")
        max_in, min_out = (second, first) if self.exact_out else (first, second)
        return Swap(self.side, mint, token_account, max_in, min_out)


_V3: Final = Places(user=8, base_mint=1, quote_mint=2, base_program=3, quote_program=4, user_base=9, user_quote=10)
_V2: Final = Places(user=13, base_mint=1, quote_mint=2, base_program=3, quote_program=4, user_base=14, user_quote=15)

PUMP_LAYOUTS: Final = {
    bytes.fromhex("07051dc4f5176550"): PoolLayout("buy_v3", "buy", True, _V3, (17,)),
    bytes.fromhex("e1f7501ed5b38488"): PoolLayout("buy_exact_quote_in_v3", "buy", False, _V3, (17,)),
    bytes.fromhex("1c92de7726c469d5"): PoolLayout("sell_v3", "sell", False, _V3, (17,)),
    bytes.fromhex("b817ee6167c5d33d"): PoolLayout("buy_v2", "buy", True, _V2, (27,)),
    bytes.fromhex("c2ab1c46684d5b2f"): PoolLayout("buy_exact_quote_in_v2", "buy", False, _V2, (27,)),
    bytes.fromhex("5df6823ce7e940b2"): PoolLayout("sell_v2", "sell", False, _V2, (26,)),
}
PUMPSWAP_LAYOUTS: Final[dict[bytes, PoolLayout]] = {}
