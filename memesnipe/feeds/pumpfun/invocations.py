"""Which program wrote each line of data in a transaction's logs.

Programs that are no pump.fun use its TradeEvent discriminator, so an event counts only if it was written while the
invocation of its own program was the innermost open one. A program's own texts begin with `Program log: `, so none can
imitate the lines by which the node reports invocations.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from memesnipe.feeds.pumpfun.programs import PROGRAMS

TRUNCATED: Final = "Log truncated"
_PROGRAM: Final = "Program "
_LOG: Final = "Program log: "
DATA: Final = "Program data: "


class DataLine(NamedTuple):
    """Data that a program wrote."""

    program: str
    text: str  # base64


class AttributedLogs(NamedTuple):
    """The data of the two programs in one transaction, in order."""

    lines: list[DataLine]
    copies: int  # lines left out because they repeat the one before
    is_truncated: bool  # the node left out lines, so events may be missing
    is_broken: bool  # the invocations do not nest; the data from there on was left out


def attribute(logs: Sequence[str]) -> AttributedLogs:
    """Return the data lines of pump.fun and PumpSwap.

    After "Log truncated" a node may still write short lines, without those between them: the open invocation is then
    unknown, and nothing more is taken. Two equal lines in succession are one event and its copy, because each trade
    changes the reserves that its event states.
    """
    lines: list[DataLine] = []
    copies = 0
    open_programs: list[str] = []
    for line in logs:
        if line.startswith(_LOG):
            continue
        if line.startswith(DATA):
            if open_programs and open_programs[-1] in PROGRAMS:
                found = DataLine(open_programs[-1], line[len(DATA) :])
                if lines and lines[-1] == found:
                    copies += 1
                else:
                    lines.append(found)
            continue
        if line == TRUNCATED:
            return AttributedLogs(lines, copies, is_truncated=True, is_broken=False)
        if line.startswith(_PROGRAM) and not _follow(open_programs, line.split(" ")):
            return AttributedLogs(lines, copies, is_truncated=False, is_broken=True)
    return AttributedLogs(lines, copies, is_truncated=False, is_broken=bool(open_programs))


def _follow(open_programs: list[str], words: list[str]) -> bool:
    """Open or close an invocation as a line says; return False if it contradicts the open ones."""
    if len(words) < 3:
        return True
    program, what = words[1], words[2]
    if what == "invoke":
        open_programs.append(program)
        return words[-1] == f"[{len(open_programs)}]"
    if what in ("success", "failed:"):
        return bool(open_programs) and open_programs.pop() == program
    return True
