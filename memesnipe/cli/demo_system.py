"""The system that `memesnipe demo` shows: `memesnipe up` as a child process, with a folder and an environment."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson

from memesnipe.cli.signals import ignore_interrupt
from memesnipe.config.home import Home, installation_of
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.errors import MemeSnipeError, SettingsError
from memesnipe.runtime.terminal import print_message
from memesnipe.runtime.up_process import UpProcess, last_line
from memesnipe.servers import loopback
from memesnipe.servers.postgres import reader_url
from memesnipe.servers.ray_folder import ray_folder

RUN: Final = 1  # of a fresh installation
_START_S: Final = 600.0  # a first start compiles the engine, for minutes on a busy machine
_ANSWER_S: Final = 5.0
_POLL_S: Final = 0.2


class DemoSystem:
    """A running system on the synthetic market, with paper money, default settings and no key.

    Attributes:
        home: its home folder.
    """

    def __init__(self, speed: float) -> None:
        """Make its folder; nothing is started yet.

        Args:
            speed: of the market, as a ratio of event time to real time.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="memesnipe-demo-"))
        self._folder.chmod(0o755)  # as root the embedded PostgreSQL runs as another user
        self.home = self._folder / ".memesnipe"
        self._speed = speed
        self._up = UpProcess(self._folder, environment(os.environ, self.home))

    def __enter__(self) -> Self:
        """Start the system, without waiting for it."""
        try:
            self._up.start("--feed", "synthetic", "--speed", f"{self._speed:g}")
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the system, and remove its folder; what Ctrl-C has interrupted is kept, if the market had begun."""
        ignore_interrupt()
        is_interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        if is_interrupted:
            print_message("Stopping ...")
        self._up.stop()
        shutil.rmtree(ray_folder(installation_of(self.home)).parent, ignore_errors=True)
        if is_interrupted and Home(self.home).run(RUN).event_log.exists():
            print_message(
                f"The run so far is in {self._folder}: `memesnipe report -o run.html` there makes its report, and "
                "`memesnipe up` goes on with it. Remove the folder when you do not need it."
            )
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        if is_interrupted:
            print_message("Nothing was traded yet, so nothing is kept.")

    def wait_until_healthy(self, on_message: Callable[[str], None]) -> None:
        """Wait until the system is healthy; pass its messages on.

        Raises:
            MemeSnipeError: it has ended, or is not healthy in time.
        """
        deadline, lines = time.monotonic() + _START_S, self._messages()
        while not self.is_healthy():
            for line in next(lines):
                on_message(line)
            if time.monotonic() > deadline:
                raise MemeSnipeError(f"the system was not healthy within {_START_S:.0f} s")
            time.sleep(_POLL_S)

    def is_healthy(self) -> bool:
        """Return whether all parts run.

        Raises:
            MemeSnipeError: the system has ended.
        """
        if self._up.exit_code is not None:
            raise MemeSnipeError(f"the system has ended: {self._up.last_message()}")
        try:
            if not (url := self.dashboard):
                return False
            health = orjson.loads(loopback.get(f"{url}/api/health", _ANSWER_S).body)
            return bool(health["status"] == "healthy")
        except (OSError, ValueError, KeyError):
            return False

    @property
    def dashboard(self) -> str:
        """The URL of the page; "" before it is known."""
        try:
            found = Home(self.home).settings.is_file()
            return f"http://{loopback.HOST}:{self._settings().api.dashboard_port}" if found else ""
        except SettingsError:  # it is being written
            return ""

    def database_url(self) -> str:
        """Return the URL of its database, as the role that only reads."""
        url = self._settings().servers.database_url
        assert url is not None  # noqa: S101 - resolved by `up`
        return reader_url(Home(self.home).postgres, url.get_secret_value()) or url.get_secret_value()

    def stop(self) -> dict[str, Any]:
        """Stop the system as Ctrl-C does; return its report.

        Raises:
            MemeSnipeError: it has printed none.
        """
        self._up.stop()
        return self._up.report()

    def command(self, *arguments: str) -> tuple[dict[str, Any] | None, str]:
        """Run a command in this installation.

        Returns:
            Its JSON, None without any; and the last line of its messages.
        """
        done = self._up.command(*arguments, "--json")
        return (orjson.loads(done.stdout) if done.stdout else None), last_line(done.stderr) if done.stderr else ""

    def _settings(self) -> Settings:
        return read_resolved(Home(self.home).settings)

    def _messages(self) -> Iterator[list[str]]:
        """Yield each time the complete lines that the process has written meanwhile."""
        rest = b""
        with self._up.messages.open("rb") as read:
            while True:
                *lines, rest = (rest + read.read()).split(b"\n")
                yield [line.decode(errors="replace") for line in lines]


def environment(variables: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return an environment without any setting of the user: no key, no server of his, no live trading.

    Args:
        variables: of this process.
        home: folder of the installation.
    """
    settings = {name.upper() for name in Settings.fields()}
    kept = {name: value for name, value in variables.items() if name.upper() not in settings and name[:4] != "RAY_"}
    return kept | {"MEMESNIPE_HOME": str(home)}
