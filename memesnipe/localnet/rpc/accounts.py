"""Methods about accounts."""

from typing import Annotated, Any, Final

import msgspec
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.rpc.account_json import DataSlice, Encoding, account_json
from memesnipe.localnet.rpc.params import Call, Config, in_context

_MAX_ACCOUNTS: Final = 100
_MAX_BYTES: Final = 10 * 1024 * 1024


class AccountConfig(Config, frozen=True):
    """How accounts are returned."""

    encoding: Encoding | None = None
    data_slice: DataSlice | None = None

    def json(self, chain: Chain, address: Pubkey, default: Encoding | None) -> dict[str, Any] | None:
        """Return an account as JSON; None if there is none."""
        account = chain.account(address, self.commitment)
        return account_json(account, self.encoding or default, self.data_slice, chain, self.commitment)


class GetBalance(Call, frozen=True):
    """The lamports of an account."""

    address: Pubkey
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the lamports; 0 if there is no account."""
        config = self.config or Config()
        block = config.block(chain)
        account = chain.account(self.address, config.commitment)
        return in_context(block, account.lamports if account is not None else 0)


class GetAccountInfo(Call, frozen=True):
    """An account."""

    address: Pubkey
    config: AccountConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return the account, or null."""
        config = self.config or AccountConfig()
        return in_context(config.block(chain), config.json(chain, self.address, None))


class GetMultipleAccounts(Call, frozen=True):
    """Several accounts at one slot."""

    addresses: Annotated[list[Pubkey], msgspec.Meta(max_length=_MAX_ACCOUNTS)]
    config: AccountConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return each account, or null."""
        config = self.config or AccountConfig()
        block = config.block(chain)
        return in_context(block, [config.json(chain, address, "base64") for address in self.addresses])


class GetMinimumBalanceForRentExemption(Call, frozen=True):
    """The lamports that an account must have."""

    size: Annotated[int, msgspec.Meta(ge=0, le=_MAX_BYTES)]
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the lamports for an account of that many bytes."""
        return chain.minimum_balance(self.size)
