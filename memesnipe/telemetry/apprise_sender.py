"""Notifications through Apprise: to Telegram, Discord, e-mail, a webhook and a hundred others, by URL."""

import logging
from pathlib import Path
from typing import Final

import apprise

from memesnipe.errors import InputError
from memesnipe.secret_file import read_secret
from memesnipe.telemetry.notices import Notice

SETTING: Final = "NOTIFY_URLS_FILENAME"


class AppriseSender:
    """Send notices to all URLs of a file. The URLs contain tokens, so that no error and no log has any of them.

    Args:
        path: of the file, which only its owner may read; blank lines and those that begin with # are ignored.

    Raises:
        InputError: the file cannot be used, or a line is no URL of Apprise.
    """

    def __init__(self, path: Path) -> None:
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages contain the URLs
        self._apprise = apprise.Apprise()
        lines = [line.strip() for line in read_secret(path, SETTING).splitlines()]
        for number, line in enumerate(lines, 1):
            if line and not line.startswith("#") and not self._apprise.add(line):
                raise InputError(f"{path}:{number}: is not a URL that Apprise knows; {SETTING} names this file")
        if not len(self._apprise):
            raise InputError(f"{path} has no URL; add one, or leave {SETTING} empty")

    def __len__(self) -> int:
        """Return the number of URLs."""
        return len(self._apprise)

    def send(self, notice: Notice) -> bool:
        """Send a notice; return whether all services have taken it. It may take seconds."""
        title = f"MemeSnipe: {notice.title}"
        return bool(self._apprise.notify(body=notice.text, title=title, notify_type=notice.severity))
