"""Token accounts and mints: the fields that SPL Token and Token-2022 have at the same places, and an index."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey

TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAMS: Final = (TOKEN, TOKEN_2022)
WRAPPED_SOL: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")

_ACCOUNT_BYTES: Final = 165
_MINT_BYTES: Final = 82
_TYPE_MINT: Final = 1  # the byte after the first 165 of an account of Token-2022 with extensions


class TokenAccount(NamedTuple):
    """A token account."""

    mint: Pubkey
    owner: Pubkey
    amount: int  # raw


class Mint(NamedTuple):
    """A mint."""

    supply: int  # raw
    decimals: int


def token_account(account: Account | None) -> TokenAccount | None:
    """Return a token account; None if the account is none."""
    if account is None or account.owner not in PROGRAMS or len(account.data) < _ACCOUNT_BYTES:
        return None
    data = account.data
    is_mint = len(data) > _ACCOUNT_BYTES and data[_ACCOUNT_BYTES] == _TYPE_MINT
    is_initialized = data[108] != 0
    if is_mint or not is_initialized:
        return None
    return TokenAccount(Pubkey(data[:32]), Pubkey(data[32:64]), int.from_bytes(data[64:72], "little"))


def mint(account: Account | None) -> Mint | None:
    """Return a mint; None if the account is none."""
    if account is None or account.owner not in PROGRAMS or len(account.data) < _MINT_BYTES:
        return None
    data = account.data
    is_extended = len(data) > _ACCOUNT_BYTES and data[_ACCOUNT_BYTES] == _TYPE_MINT
    is_initialized = data[45] != 0
    if (len(data) != _MINT_BYTES and not is_extended) or not is_initialized:
        return None
    return Mint(int.from_bytes(data[36:44], "little"), data[44])


class TokenIndex:
    """The token accounts of wallets and mints. It may name accounts that have closed since: look each up."""

    def __init__(self) -> None:
        self._by_owner: defaultdict[Pubkey, dict[Pubkey, None]] = defaultdict(dict)
        self._by_mint: defaultdict[Pubkey, dict[Pubkey, None]] = defaultdict(dict)

    def add(self, address: Pubkey, account: Account | None) -> None:
        """Add an account if it is a token account."""
        found = token_account(account)
        if found is not None:
            self._by_owner[found.owner][address] = None
            self._by_mint[found.mint][address] = None

    def of_owner(self, owner: Pubkey, account: Callable[[Pubkey], Account | None]) -> Iterator[tuple[Pubkey, Account]]:
        """Yield the token accounts of a wallet.

        Args:
            owner: the wallet.
            account: returns an account at the commitment asked for.
        """
        return self._look_up(self._by_owner.get(owner, {}), account, lambda found: found.owner == owner)

    def of_mint(self, minted: Pubkey, account: Callable[[Pubkey], Account | None]) -> Iterator[tuple[Pubkey, Account]]:
        """Yield the token accounts of a mint."""
        return self._look_up(self._by_mint.get(minted, {}), account, lambda found: found.mint == minted)

    @staticmethod
    def _look_up(
        addresses: dict[Pubkey, None],
        account: Callable[[Pubkey], Account | None],
        belongs: Callable[[TokenAccount], bool],
    ) -> Iterator[tuple[Pubkey, Account]]:
        for address in addresses:
            found = account(address)
            parsed = token_account(found)
            if found is not None and parsed is not None and belongs(parsed):
                yield address, found
