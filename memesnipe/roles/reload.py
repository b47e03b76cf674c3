"""What an actor does when the reloadable settings change while it runs."""

from pathlib import Path

from memesnipe.config.reload import ResolvedWatch
from memesnipe.errors import MemeSnipeError
from memesnipe.roles.context import Context
from memesnipe.telemetry.logs import Logger, set_level


class Reload:
    """Take over new values from the file of resolved settings, and log them.

    Args:
        path: of the file.
        log: for what was taken over.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        self._watch, self._log = ResolvedWatch(path), log

    def poll(self, context: Context | None) -> None:
        """Take over what has changed; without an open role nothing is to be done, since it reads the file itself."""
        if context is None:
            return
        try:
            changes = self._watch.changes(context.settings)
        except MemeSnipeError as error:
            self._log.error("settings are not reloaded", reason=str(error))
            return
        if changes:
            context.take_over(changes)
            if "log_level" in changes:
                set_level(changes["log_level"])
            self._log.warning("settings reloaded", **{name: str(value) for name, value in changes.items()})
