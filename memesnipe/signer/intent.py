"""The request to sign: the transaction, and what the desk wants it to do."""

import base64
import binascii
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from solders.pubkey import Pubkey

from memesnipe.signer.refusal import Reason, RefusedError

MAX_BODY_BYTES: Final = 8_192
_MAX_BASE64: Final = 4_096
_ORDER_ID: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_U64: Final = 2**64 - 1

Side = Literal["buy", "sell"]


def _mint(value: str) -> str:
    try:
        Pubkey.from_string(value)
    except ValueError:
        raise ValueError("is not an address") from None
    return value


def _order_id(value: str) -> str:
    if not _ORDER_ID.fullmatch(value):
        raise ValueError("must be 1 to 128 letters, digits or _.:/-")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Intent(_Part):
    """What the transaction is meant to do; the signer checks that it does no more.

    Args:
        side: of the swap between SOL and the token.
        mint: of the token.
        max_in: what the swap takes at most: lamports for a buy, raw tokens for a sell.
        min_out: what the swap gives at least: raw tokens for a buy, lamports for a sell.
        decided_ms: when the desk decided, in ms since 1970 UTC.
    """

    side: Side
    mint: Annotated[str, AfterValidator(_mint)]
    max_in: int = Field(ge=1, le=_U64)
    min_out: int = Field(ge=0, le=_U64)
    decided_ms: int = Field(ge=0, le=10**15)

    @property
    def mint_key(self) -> Pubkey:
        """Return the mint."""
        return Pubkey.from_string(self.mint)


class SignRequest(_Part):
    """A request; ``transaction`` is base64 with an empty own signature."""

    transaction: str = Field(min_length=1, max_length=_MAX_BASE64)
    order_id: Annotated[str, AfterValidator(_order_id)]
    intent: Intent

    @property
    def raw(self) -> bytes:
        """Return the bytes of the transaction.

        Raises:
            RefusedError: it is not base64.
        """
        try:
            return base64.b64decode(self.transaction, validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError(Reason.MALFORMED, "the transaction is not base64") from None


def parse_request(body: bytes) -> SignRequest:
    """Return the request in a body.

    Raises:
        RefusedError: the body is not one; the detail names the field, and never shows what was sent.
    """
    try:
        return SignRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        known = [str(part) for part in first["loc"] if part in _FIELDS]
        raise RefusedError(Reason.MALFORMED, f"{'.'.join(known) or 'body'}: {first['type']}") from None


_FIELDS: Final = frozenset(SignRequest.model_fields) | frozenset(Intent.model_fields)
