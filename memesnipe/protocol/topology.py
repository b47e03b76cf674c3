"""The table of streams as Markdown, for `docs/architecture.md`: `python -m memesnipe.protocol.topology`."""

import sys

from memesnipe.protocol.streams import STREAMS, Stream


def table() -> str:
    """Return one line for each stream."""
    head = "| stream | payload | writer | readers | kept in Redis behind its readers |\n|---|---|---|---|---|\n"
    return head + "".join(map(_line, STREAMS.values()))


def _line(stream: Stream) -> str:
    kept = f"{stream.keep:,} entries" + (", and no more in PostgreSQL" if stream.transient else "")
    readers = ", ".join(stream.readers) or "none"
    return f"| `{stream.name}` | `{stream.payload.__name__}` | {stream.writer} | {readers} | {kept} |\n"


if __name__ == "__main__":
    sys.stdout.write(table())
