"""The base types of payloads, and their JSON encoding, which is validated on decoding."""

from typing import Any, ClassVar, Final

import msgspec

from memesnipe.errors import MemeSnipeError

_ENCODER: Final = msgspec.json.Encoder()

# An entry to publish: (stream, number, seq, JSON)
EncodedEntry = tuple[str, int, int, bytes]


class ProtocolError(MemeSnipeError):
    """A message does not have the type that its stream declares."""


class Versioned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all stream messages: the stream, the version, and the first two fields of the JSON.

    An incompatible change increments ``version``; a reader rejects every version except its own.
    """

    stream: ClassVar[str]
    version: ClassVar[int] = 1

    seq: int  # the event that the message belongs to
    v: int  # the version with which the message was written


class Payload(Versioned, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message between roles."""

    seq: int
    v: int = 1


class Follows(Payload, frozen=True, kw_only=True):
    """A message with causal dependencies: ``after`` maps each stream to the number that must be applied first."""

    after: dict[str, int] = {}


def encode(payload: Versioned) -> bytes:
    """Return the JSON of a payload; dataclasses in it become JSON objects."""
    return _ENCODER.encode(payload)


class Decoder:
    """A decoder of the payloads of one stream."""

    def __init__(self, payload: type[Versioned]) -> None:
        self._type = payload
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(payload)

    def __call__(self, data: bytes) -> Any:
        """Return the payload.

        Raises:
            ProtocolError: a field is missing, unknown or of another type, or the version differs.
        """
        try:
            payload: Versioned = self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ProtocolError(f"{self._type.stream}: {error}") from error
        if payload.v != self._type.version:
            raise ProtocolError(f"{self._type.stream}: version {payload.v}, this code reads {self._type.version}")
        return payload
