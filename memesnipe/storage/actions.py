"""Writing and reading the audit log of manual actions."""

import getpass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select

from memesnipe.protocol.commands import MAX_REASON_BYTES, CommandName, is_effective
from memesnipe.storage.rows import Json, Page, Rows, count, records
from memesnipe.storage.schema_actions import ActionRow
from memesnipe.storage.schema_control import CommandRow

UNKNOWN: Final = "unknown"


_OVER_HTTP: Final = "token holder from "


def by_token(address: str) -> str:
    """Return who asks over HTTP: whoever holds the token, and from which address."""
    return f"{_OVER_HTTP}{address}"


def by_cli() -> str:
    """Return who asks on the command line: the user of this machine."""
    try:
        return f"command line, user {getpass.getuser()}"
    except (OSError, KeyError):  # the user has no name, as in a container
        return "command line"


def record_action(
    connection: Connection,
    run_id: int | None,
    name: CommandName,
    *,
    who: str,
    spec_id: str,
    reason: str,
    command_id: int | None = None,
    refused: str = "",
) -> None:
    """Add an action to the audit log. Text that cannot be stored is cut or escaped: refused actions count too."""
    values = {
        "run_id": run_id,
        "name": name.value,
        "who": _storable(who),
        "spec_id": _storable(spec_id),
        "reason": _storable(reason),
        "refused": _storable(refused),
        "command_id": command_id,
    }
    connection.execute(insert(ActionRow).values(values))


def recorded_over_http(conn: Connection, run_id: int, name: CommandName, reason: str, within_s: float) -> int | None:
    """Return the command of the last such action that was asked for over HTTP in the last seconds, or None."""
    row = ActionRow
    since = func.now() - timedelta(seconds=within_s)
    same = (row.run_id == run_id, row.name == name.value, row.reason == _storable(reason), row.asked_at >= since)
    query = select(row.command_id).where(*same, row.who.startswith(_OVER_HTTP), row.command_id.is_not(None))
    found: int | None = conn.scalar(query.order_by(row.action_id.desc()).limit(1))
    return found


def is_asked_for(conn: Connection, command_id: int) -> bool:
    """Return whether the audit log has an action of a command."""
    return conn.scalar(select(ActionRow.action_id).where(ActionRow.command_id == command_id).limit(1)) is not None


def actions(conn: Connection, run_id: int, page: Page) -> Rows:
    """Return the actions of a run and those before any run, the newest first, with the outcome of each."""
    of_command = CommandRow.outcome, CommandRow.seq, CommandRow.account, CommandRow.mint
    of_run = (ActionRow.run_id == run_id) | ActionRow.run_id.is_(None)
    query = (
        select(ActionRow, *of_command)
        .outerjoin(CommandRow, CommandRow.command_id == ActionRow.command_id)
        .where(of_run)
        .order_by(ActionRow.action_id.desc())
    )
    columns = query.with_only_columns(*ActionRow.__table__.columns, *of_command)
    found: list[Json] = records(conn, columns.limit(page.limit).offset(page.offset))
    for row in found:
        effective = False if row["refused"] else is_effective(row["outcome"])
        row |= {"asked_at": row["asked_at"].isoformat(), "effective": effective}
    return Rows(found, count(conn, columns))


def _storable(text: str) -> str:
    """Return text that PostgreSQL can store, with `MAX_REASON_BYTES` bytes at most."""
    escaped = text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    return escaped[:MAX_REASON_BYTES].decode("utf-8", "ignore")
