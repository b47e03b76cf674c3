"""`memesnipe redis`: a look into the streams of what runs in this folder, also where there is no `redis-cli`."""

from typing import Annotated, Any

import typer

from memesnipe.cli.options import Json
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.terminal import print_json, without_controls

redis = typer.Typer()


@redis.command("redis", context_settings={"ignore_unknown_options": True})
def redis_command(
    command: Annotated[list[str], typer.Argument(help="One command that only reads, such as XLEN events:price.")],
    json: Json = False,
) -> None:
    """Ask the Redis of what runs in this folder."""
    from memesnipe.bus.asking import ask  # noqa: PLC0415 - slow to load
    from memesnipe.cli.current_settings import settings_here  # noqa: PLC0415

    settings, _ = settings_here()
    if settings.redis_url is None:
        raise MemeSnipeError("the embedded Redis runs only while `memesnipe up` does; start it first")
    reply = ask(settings.redis_url.get_secret_value(), command)
    if json:
        print_json({"reply": reply})
        return
    for line in _lines(reply):
        typer.echo(line)


def _lines(reply: Any) -> list[str]:
    """One line for each element; what is in it stays on its line."""
    if isinstance(reply, dict):
        reply = list(reply.items())
    return [_flat(element) for element in reply] if isinstance(reply, list) else [_flat(reply)]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{_flat(name)}={_flat(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_flat(item) for item in value)
    return without_controls("" if value is None else str(value))
