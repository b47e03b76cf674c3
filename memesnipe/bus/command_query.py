"""Ad-hoc Redis commands: one command at a time, which must be read-only."""

from collections.abc import Sequence
from typing import Any, Final

import redis

from memesnipe.errors import InputError, MemeSnipeError

_TIMEOUT_S: Final = 10
_SERVER_COMMANDS: Final = ("info", "ping")


def run_read_command(url: str, command: Sequence[str]) -> Any:
    """Return the reply to a command.

    Args:
        url: of the Redis database.
        command: its name and arguments.

    Raises:
        InputError: there is no such command, it writes, or Redis rejects it.
        MemeSnipeError: Redis is unreachable, or does not reply within 10 s.
    """
    client: Any = redis.Redis.from_url(
        url, socket_timeout=_TIMEOUT_S, protocol=2, decode_responses=True, encoding_errors="backslashreplace"
    )
    try:
        _assert_read_only(client, command)
        return client.execute_command(*command)
    except redis.TimeoutError as error:
        raise MemeSnipeError(f"Redis did not respond within {_TIMEOUT_S} s") from error
    except redis.ConnectionError as error:
        raise MemeSnipeError(f"Redis does not respond: {error}") from error
    except (redis.RedisError, UnicodeError) as error:
        raise InputError(f"{command[0]}: {error}") from error
    finally:
        client.close()


def _assert_read_only(client: Any, command: Sequence[str]) -> None:
    """Check that the server lists the command as read-only.

    Raises:
        InputError: there is no such command, or it can write.
    """
    if command[0].lower() in _SERVER_COMMANDS:
        return
    names = [command[0], "|".join(command[:2])]  # some commands have subcommands, such as XINFO STREAM
    found: Any = client.execute_command("COMMAND INFO", *names)
    known = [entry for entry in found if entry]
    if not known:
        raise InputError(f"{command[0]}: there is no such command")
    if not any("readonly" in flags for _, _, flags, *_ in known):
        raise InputError(f"{command[0]}: it is not read-only; try XLEN, XRANGE, XREVRANGE, XINFO STREAM, INFO")
