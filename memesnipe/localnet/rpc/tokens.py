"""Methods about token accounts and mints."""

from typing import Any, Final

import msgspec
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Commitment
from memesnipe.localnet.rpc.account_json import amount_json
from memesnipe.localnet.rpc.accounts import AccountConfig
from memesnipe.localnet.rpc.errors import invalid
from memesnipe.localnet.rpc.params import Call, Config, in_context
from memesnipe.localnet.tokens import PROGRAMS, Mint, mint, token_account

_LARGEST: Final = 20


class TokenFilter(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Of a mint, or of a token program: exactly one of them."""

    mint: Pubkey | None = None
    program_id: Pubkey | None = None


class GetTokenAccountBalance(Call, frozen=True):
    """The balance of a token account."""

    address: Pubkey
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the amount."""
        config = self.config or Config()
        block = config.block(chain)
        account = chain.account(self.address, config.commitment)
        if account is None:
            raise invalid("could not find account")
        held = token_account(account)
        if held is None:
            raise invalid("not a Token account")
        return in_context(block, amount_json(held.amount, _mint(chain, held.mint, config.commitment).decimals))


class GetTokenAccountsByOwner(Call, frozen=True):
    """The token accounts of a wallet."""

    owner: Pubkey
    which: TokenFilter
    config: AccountConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return them with their addresses."""
        if (self.which.mint is None) == (self.which.program_id is None):
            raise invalid("one of mint and programId is required")
        if self.which.program_id is not None and self.which.program_id not in PROGRAMS:
            raise invalid("unrecognized Token program id")
        config = self.config or AccountConfig()
        block = config.block(chain)
        if self.which.mint is not None:
            _mint(chain, self.which.mint, config.commitment)
        found = []
        for address, account in chain.tokens.of_owner(self.owner, lambda key: chain.account(key, config.commitment)):
            held = token_account(account)
            is_of_mint = held is not None and self.which.mint in (None, held.mint)
            if is_of_mint and self.which.program_id in (None, account.owner):
                found.append({"pubkey": str(address), "account": config.json(chain, address, "base64")})
        return in_context(block, found)


class GetTokenSupply(Call, frozen=True):
    """The supply of a mint."""

    address: Pubkey
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the amount."""
        config = self.config or Config()
        block = config.block(chain)
        minted = _mint(chain, self.address, config.commitment)
        return in_context(block, amount_json(minted.supply, minted.decimals))


class GetTokenLargestAccounts(Call, frozen=True):
    """The largest holders of a mint."""

    address: Pubkey
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the largest token accounts, the largest first."""
        config = self.config or Config()
        block = config.block(chain)
        decimals = _mint(chain, self.address, config.commitment).decimals
        amounts = []
        for address, account in chain.tokens.of_mint(self.address, lambda key: chain.account(key, config.commitment)):
            held = token_account(account)
            if held is not None:
                amounts.append((held.amount, str(address)))
        largest = sorted(amounts, key=lambda item: -item[0])[:_LARGEST]
        return in_context(block, [{"address": key, **amount_json(amount, decimals)} for amount, key in largest])


def _mint(chain: Chain, address: Pubkey, commitment: Commitment) -> Mint:
    account = chain.account(address, commitment)
    if account is None:
        raise invalid("could not find mint")
    minted = mint(account)
    if minted is None:
        raise invalid("not a Token mint")
    return minted
