"""The table of streams as Markdown, for `docs/architecture.md`: `python -m memesnipe.protocol.topology`."""

import sys

from memesnipe.protocol.streams import ARENAS, OUTPUTS, STREAMS, Stream

_ANY_ARENA = "arena_N"


def table() -> str:
    """Return one line for each stream."""
    head = "| stream | payload | writer | readers | kept in Redis behind its readers |\n|---|---|---|---|---|\n"
    return head + "".join(_line(stream) for stream in STREAMS.values() if stream.name not in OUTPUTS[1:])


def _line(stream: Stream) -> str:
    kept = f"{stream.keep:,} entries" + (", and no more in PostgreSQL" if stream.transient else "")
    readers = ", ".join(dict.fromkeys(map(_role, stream.readers))) or "none"
    name, payload = stream.name, stream.payload.__name__
    if name in OUTPUTS:  # one line for all of them
        name, payload = name.replace("0", "N"), payload.replace("0", "N")
    return f"| `{name}` | `{payload}` | {_role(stream.writer)} | {readers} | {kept} |\n"


def _role(role: str) -> str:
    return _ANY_ARENA if role in ARENAS else role


if __name__ == "__main__":
    sys.stdout.write(table())
