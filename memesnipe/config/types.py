"""The types of settings: every number is finite and has a range, every URL and path is checked for its form."""

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic.fields import FieldInfo

from memesnipe.bounds import MAX_SEED, MAX_SHOWN, MAX_USD
from memesnipe.protocol.heartbeat import MAX_ARENAS

_YEAR_S: Final = 365 * 86_400
_MONTH_S: Final = 30 * 86_400
_MAX_NAME: Final = 255  # bytes of a file's name
_MAX_PATH: Final = 4_000

Usd = Annotated[float, Field(ge=0.01, le=MAX_USD)]
Ratio = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=1e-6, le=0.99)]
Return = Annotated[float, Field(ge=-1_000, le=1_000)]
Evidence = Annotated[float, Field(ge=2, le=1e9)]
Percent = Annotated[float, Field(ge=0.01, le=100)]
AnyPercent = Annotated[float, Field(ge=0.01, le=10_000)]
Bps = Annotated[float, Field(ge=0.01, le=1e6)]
Sharpe = Annotated[float, Field(ge=-1e6, le=1e6)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
# Programs of this machine use 127.0.0.1, which 0.0.0.0 includes.
ListenAddress = Literal["127.0.0.1", "0.0.0.0"]  # noqa: S104
Port = Annotated[int, Field(ge=1, le=65_535)]
Genomes = Annotated[int, Field(ge=1, le=100_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
CountOrNone = Annotated[int, Field(ge=0, le=1_000_000)]
Observation = Annotated[int, Field(ge=0, le=_YEAR_S)]
Interval = Annotated[int, Field(ge=1, le=_MONTH_S)]
DeadAfter = Annotated[int, Field(ge=60, le=_MONTH_S)]
Lamports = Annotated[int, Field(ge=0, le=100_000_000_000)]
AgeMs = Annotated[int, Field(ge=1, le=86_400_000)]
LatencyMs = Annotated[int, Field(ge=0, le=600_000)]
SlippageBps = Annotated[int, Field(ge=0, le=10_000)]
Population = Annotated[int, Field(ge=4, le=100_000)]
EventsBudget = Annotated[int, Field(ge=1_000_000, le=10**15)]
Threads = Annotated[int, Field(ge=1, le=256)]
Shards = Annotated[int, Field(ge=1, le=MAX_ARENAS)]
Streams = Annotated[int, Field(ge=1, le=1_000)]
PastHours = Annotated[float, Field(ge=0, le=168)]
Hours = Annotated[float, Field(ge=0.01, le=8_760)]
Days = Annotated[int, Field(ge=1, le=3_650)]


def _plain(value: Any) -> Any:
    """Check that a text can be a path, an address or a name.

    Raises:
        ValueError: it contains a control character, or is too long.
    """
    text = os.fspath(value) if isinstance(value, str | Path) else ""
    if any(ord(letter) < 32 for letter in text):
        raise ValueError("contains a control character")
    if len(text) > _MAX_PATH or any(len(os.fsencode(part)) > _MAX_NAME for part in Path(text).parts):
        raise ValueError("is too long")
    return value


def _empty_is_unset(value: Any) -> Any:
    return None if value == "" else value


def _folders(value: str) -> str:
    """Return the folders as absolute paths: the actors run in another folder."""
    try:
        return os.pathsep.join(str(Path(part).expanduser().resolve()) for part in value.split(os.pathsep) if part)
    except RuntimeError as error:  # the home of an unknown user, or a loop of links
        raise ValueError(f"cannot be found: {error}") from error


def _postgresql(value: SecretStr) -> SecretStr:
    scheme, separator, rest = value.get_secret_value().partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not separator:
        raise ValueError("must start with postgresql://")
    from sqlalchemy import make_url  # noqa: PLC0415 - slow to load, and rarely needed
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    url = f"postgresql+psycopg://{rest}"
    try:
        port = make_url(url).port
    except (ArgumentError, ValueError):  # their texts contain the password
        raise ValueError("must be like postgresql://USER:PASSWORD@HOST:PORT/DB") from None
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError("its port must be from 1 to 65535")
    return SecretStr(url)


def _redis(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    from redis.connection import parse_url  # noqa: PLC0415 - as above

    try:
        found = parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        raise ValueError("must be like redis://HOST:PORT/DB") from None
    database = "" if url.startswith("unix://") else url.partition("://")[2].partition("?")[0].partition("/")[2]
    if database and not (database.isascii() and database.isdigit() and found.get("db") == int(database)):
        raise ValueError("its database, behind the last /, must be a number")
    return value


OptionalText = Annotated[str | None, AfterValidator(_plain), BeforeValidator(_empty_is_unset)]
OptionalPath = Annotated[Path | None, AfterValidator(_plain), BeforeValidator(_empty_is_unset)]
Folder = Annotated[Path, AfterValidator(_plain)]
Folders = Annotated[str, AfterValidator(_folders), AfterValidator(_plain)]
RedisUrl = Annotated[Annotated[SecretStr, AfterValidator(_redis)] | None, BeforeValidator(_empty_is_unset)]
PostgresUrl = Annotated[Annotated[SecretStr, AfterValidator(_postgresql)] | None, BeforeValidator(_empty_is_unset)]


def range_of(field: FieldInfo) -> str:
    """Return the range of a number, such as "from 1 to 65535"; "" for a setting that is not a number."""
    minimum = next((m.ge for m in field.metadata if isinstance(m, Ge)), None)
    maximum = next((m.le for m in field.metadata if isinstance(m, Le)), None)
    return "" if minimum is None or maximum is None else f"from {_number(minimum)} to {_number(maximum)}"


def describe_error(name: str, field: FieldInfo | None, detail: dict[str, Any]) -> str:
    """Return one line about an invalid value: the variable, the value unless it is secret, and the allowed values.

    Args:
        name: of the setting.
        field: of the setting; None for an unknown one.
        detail: pydantic's description of the error.
    """
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    if field is not None and range_of(field):
        kind = "a whole number" if field.annotation is int else "a number"
        message = f"must be {kind} {range_of(field)}"
    given = str(detail["input"])
    shown = repr(given if len(given) <= MAX_SHOWN else given[:MAX_SHOWN] + "...")
    is_secret = field is not None and "SecretStr" in str(field.annotation)
    return f"{name.upper()} is {'...' if is_secret else shown}: {message}"


def _number(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
