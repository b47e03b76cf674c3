"""Ad-hoc Redis commands: one command at a time, which must be read-only."""

from collections.abc import Sequence
from typing import Any, Final

import redis

from memesnipe.errors import InputError, MemeSnipeError

_PATIENCE_S: Final = 10
_ABOUT_THE_SERVER: Final = ("info", "ping")


def ask(url: str, words: Sequence[str]) -> Any:
    """Return the reply to a command.

    Args:
        url: of the Redis database.
        words: the command's name and its arguments.

    Raises:
        InputError: there is no such command, it writes, or Redis rejects it.
        MemeSnipeError: Redis is unreachable, or does not reply within 10 s.
    """
    client: Any = redis.Redis.from_url(
        url, socket_timeout=_PATIENCE_S, protocol=2, decode_responses=True, encoding_errors="backslashreplace"
    )
    try:
        _assert_reads(client, words)
        return client.execute_command(*words)
    except redis.TimeoutError as error:
        raise MemeSnipeError(f"Redis says nothing for {_PATIENCE_S} s") from error
    except redis.ConnectionError as error:
        raise MemeSnipeError(f"Redis does not answer: {error}") from error
    except (redis.RedisError, UnicodeError) as error:
        raise InputError(f"{words[0]}: {error}") from error
    finally:
        client.close()


def _assert_reads(client: Any, words: Sequence[str]) -> None:
    """Check that the server lists the command as read-only.

    Raises:
        InputError: there is no such command, or it can write.
    """
    if words[0].lower() in _ABOUT_THE_SERVER:
        return
    names = [words[0], "|".join(words[:2])]  # some commands have subcommands, such as XINFO STREAM
    found: Any = client.execute_command("COMMAND INFO", *names)
    known = [entry for entry in found if entry]
    if not known:
        raise InputError(f"{words[0]}: there is no such command")
    if not any("readonly" in flags for _, _, flags, *_ in known):
        raise InputError(f"{words[0]}: it does not only read; try XLEN, XRANGE, XREVRANGE, XINFO STREAM, INFO")
