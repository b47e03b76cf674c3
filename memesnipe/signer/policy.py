"""The policy file: what the signer signs. All of it is in the file; nothing has a default in the code."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from solders.pubkey import Pubkey

from memesnipe.errors import InputError, printable
from memesnipe.secret_file import create_secret, read_secret

_MAX_LAMPORTS: Final = 10**15
_DEFAULT: Final = "signer-policy.toml"

Lamports = Annotated[int, Field(ge=0, le=_MAX_LAMPORTS)]
Venue = Literal["pump", "pumpswap", "jupiter"]


def _address(value: str) -> str:
    try:
        Pubkey.from_string(value)
    except ValueError:
        raise ValueError("is not an address") from None
    return value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Spend(_Section):
    """Limits of what is spent, in lamports."""

    per_transaction: Lamports
    per_hour: Lamports
    per_day: Lamports
    exit_costs_per_day: Lamports


class Fees(_Section):
    """Limits of the costs of one transaction, in lamports."""

    priority_fee: Lamports
    tip: Lamports
    rent: Lamports


class JupiterLimits(_Section):
    """Limits of the parameters of Jupiter's swaps."""

    max_slippage_bps: int = Field(ge=0, le=10_000)
    max_platform_fee_bps: int = Field(ge=0, le=10_000)


class Freshness(_Section):
    """How old a decision may be."""

    max_intent_age_s: int = Field(ge=1, le=3_600)


class Requests(_Section):
    """The rate limit: a bucket of ``burst`` requests that is refilled at a rate."""

    per_second: int = Field(ge=1, le=1_000)
    burst: int = Field(ge=1, le=10_000)


class Policy(_Section):
    """What the signer signs; see the comments in `signer-policy.toml`."""

    enabled: bool
    venues: list[Venue]
    tip_accounts: list[Annotated[str, AfterValidator(_address)]]
    spend: Spend
    fees: Fees
    jupiter: JupiterLimits
    freshness: Freshness
    requests: Requests

    @property
    def tip_keys(self) -> frozenset[Pubkey]:
        """Return the accounts that may receive a tip."""
        return frozenset(Pubkey.from_string(account) for account in self.tip_accounts)


def default_policy_text() -> str:
    """Return the policy that signs nothing, with comments."""
    return (files("memesnipe.signer") / _DEFAULT).read_text()


def make_policy(path: Path) -> None:
    """Write the default policy to ``path``; an existing file is kept."""
    create_secret(path, default_policy_text())


def load_policy(path: Path) -> Policy:
    """Return the policy in a file.

    Raises:
        InputError: there is no file that is its owner's alone, or it is not a policy; one line that says where.
    """
    return parse_policy(read_secret(path, "SIGNER_POLICY_FILENAME"), str(path))


def parse_policy(text: str, name: str) -> Policy:
    """Return the policy in a text.

    Args:
        text: TOML.
        name: of its source, for messages.

    Raises:
        InputError: it is not a policy; one line that says where.
    """
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not TOML: {printable(str(error))}") from None
    except RecursionError:
        raise InputError(f"{name} is not a policy: it is nested too deeply") from None
    except ValidationError as error:
        raise InputError(f"{name}: {_describe(error.errors()[0])}") from None


def _describe(error: Any) -> str:
    where = printable(".".join(str(part) for part in error["loc"])) or "the policy"
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"{where} is unknown"
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{where} is {printable(repr(error['input'])[:60])}: {message}"
