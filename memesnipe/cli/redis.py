"""`memesnipe redis`: read the streams of the system in this folder, without `redis-cli`."""

from typing import Annotated, Any

import typer

from memesnipe.cli.options import Json
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.terminal import print_json, without_controls

redis = typer.Typer()


@redis.command("redis", context_settings={"ignore_unknown_options": True})
def redis_command(
    command: Annotated[list[str], typer.Argument(help="A read-only command, such as XLEN events:price.")],
    json: Json = False,
) -> None:
    """Run a read-only Redis command on the system in this folder."""
    from memesnipe.bus.command_query import run_read_command  # noqa: PLC0415 - slow to load
    from memesnipe.cli.current_settings import current_settings  # noqa: PLC0415

    settings, _ = current_settings()
    if settings.servers.redis_url is None:
        raise MemeSnipeError("the embedded Redis runs only while `memesnipe up` does; start it first")
    reply = run_read_command(settings.servers.redis_url.get_secret_value(), command)
    if json:
        print_json({"reply": reply})
        return
    for line in _lines(reply):
        typer.echo(line)


def _lines(reply: Any) -> list[str]:
    """Return one line per element; nested values stay on their element's line."""
    if isinstance(reply, dict):
        reply = list(reply.items())
    return [_flat(element) for element in reply] if isinstance(reply, list) else [_flat(reply)]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{_flat(name)}={_flat(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_flat(item) for item in value)
    return without_controls("" if value is None else str(value))
