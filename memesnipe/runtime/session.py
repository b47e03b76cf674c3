"""The parts that `memesnipe up` starts in order, and stops in reverse order."""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import orjson
from pydantic import SecretStr

from memesnipe import __version__
from memesnipe.api.token import load_token, make_token
from memesnipe.config.home import STARTING, STOPPING, Home, installation_of, write_condition
from memesnipe.config.reload import EnvWatch
from memesnipe.config.settings import Settings, write_resolved
from memesnipe.errors import RefusedError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.runtime.lock import acquire
from memesnipe.runtime.notifications import open_sender, start_notifier
from memesnipe.runtime.ray_process import RayProcess
from memesnipe.runtime.session_ports import check_addresses, report_taken_ports, with_dashboard_port
from memesnipe.runtime.terminal import print_message
from memesnipe.runtime.trading_mode import TradingMode
from memesnipe.servers import loopback
from memesnipe.servers.compiler import COMPILER, Compiler
from memesnipe.servers.local_chain import LocalChain
from memesnipe.servers.process import LocalServerError
from memesnipe.servers.servers import LocalServers
from memesnipe.telemetry.logs import open_log, set_level, start_copy

_MAX_RESTARTS = 20
_WATCH_S = 0.25
_SLOW_START_S = 45.0
_SIGNER_S, _SIGNER_ANSWER_S = 60.0, 5.0
_COMPILE = (sys.executable, "-m", "memesnipe.runtime.compiling")


@dataclass
class Session:
    """Context manager of a running system: entering starts its parts, leaving stops them."""

    settings: Settings
    choice: FeedChoice
    has_started: Callable[[], None]  # called when the start is complete
    detached: bool = False  # whether it runs in the background, see `memesnipe.cli.background`
    mode: TradingMode = field(default_factory=TradingMode)
    _failed_restarts: int = 0  # in a row
    _server_problem: str = ""

    def __enter__(self) -> Self:
        """Start the servers, the run, Ray, the API and the actors.

        Raises:
            MemeSnipeError: another process runs in this folder, or a part does not start.
        """
        self.home = self.settings.installation.memesnipe_home.resolve()
        with ExitStack() as stack:
            stack.callback(acquire(self.home).close)
            stack.callback(write_condition, self.home, "")
            write_condition(self.home, f"{STARTING}the servers")
            self.log = open_log(Home(self.home).logs, "up", self.settings.telemetry.log_level)
            start_copy(self.settings.telemetry.log_copy, self.log)
            self._env = EnvWatch()
            self._env.poll()
            check_addresses(self.settings)
            self._check_redis()
            sender = open_sender(self.settings)
            self.settings = with_dashboard_port(self.settings, stack)
            report_taken_ports(self.settings)
            market = f"{self.choice.name} market, {self.mode.money}"
            print_message(f"Starting MemeSnipe {__version__}: {market}; its data are in {self.home} ...")
            self._launch_chain(stack)
            print_message(f"Starting {', '.join(['Ray', *self._embedded()])} ...")
            # Everything starts at the same time; modules are loaded meanwhile.
            self._servers = stack.enter_context(LocalServers(*Home(self.home).server_folders))
            address = self.settings.servers.ray_address
            survives = self.detached and bool(address) and self._chain is None and not self._embedded()
            self._ray = RayProcess(self.home, address, self.log, self.detached, survives)
            stack.callback(self._ray.stop)
            self._ray.start()
            self._compiler = Compiler(Home(self.home).compile_lock, (*_COMPILE, self.choice.generated))
            stack.callback(self._compiler.stop)
            self._servers.launch(self.settings.servers.redis_url is None, self.settings.servers.database_url is None)
            self._wait_for_servers()
            self._prepare_run(stack)
            self._ray.begin(self.run.run_id)
            self._wait_for_ray()
            if sender is not None:
                start_notifier(sender, self.settings, self.run.run_id, lambda: self.condition, self.log, stack)
            self.has_started()
            self._stack = stack.pop_all()
        return self

    def _check_redis(self) -> None:
        if self.settings.servers.redis_url is not None:
            from memesnipe.runtime.external_redis import check_redis  # noqa: PLC0415 - slow to load, and few need it

            url = self.settings.servers.redis_url.get_secret_value()
            check_redis(url, installation_of(self.home))

    def _launch_chain(self, stack: ExitStack) -> None:
        """Start the local chain, where the mode has one, without waiting for it."""
        self._chain: LocalChain | None = None
        if self.mode.localnet is None:
            return
        from memesnipe.runtime.localnet import local_chain, local_settings  # noqa: PLC0415 - solders is slow to load

        self.settings = local_settings(self.settings, self.home, self.mode)
        self._chain = stack.enter_context(local_chain(self.settings, self.home, self.mode))
        self._chain.launch()
        print_message(f"Local Solana: play money, with a wallet and a policy of its own in {Home(self.home).localnet}.")

    def _wait_for_servers(self) -> None:
        from memesnipe.storage import runs  # noqa: F401, PLC0415 - SQLAlchemy is loaded while the servers start

        urls = self._servers.wait()
        found = {"redis_url": urls.redis_url, "database_url": urls.database_url}
        update = {name: SecretStr(url) for name, url in found.items() if url}
        self.settings = self.settings.changed(**update, memesnipe_home=self.home)
        if self._chain is not None:
            from memesnipe.runtime.localnet import with_chain  # noqa: PLC0415 - as above

            self.settings = with_chain(self.settings, self._chain.wait())

    def _prepare_run(self, stack: ExitStack) -> None:
        """Migrate the database, begin or resume the run, and write the files that the other processes read."""
        from memesnipe.runtime.begin_run import begin_run  # noqa: PLC0415 - as above
        from memesnipe.runtime.database import migrated  # noqa: PLC0415
        from memesnipe.solana.request_mac import make_secret  # noqa: PLC0415
        from memesnipe.solana.wallet import make_wallet  # noqa: PLC0415

        assert self.settings.servers.database_url is not None  # noqa: S101 - resolved by now
        self.database = migrated(self.settings.servers.database_url.get_secret_value())
        stack.callback(self.database.dispose)
        self.run = begin_run(self.settings, self.choice, self.mode, self.database)
        self.log.info("run", run=self.run.run_id, resumed=self.run.resumed, feed=self.choice.identity)
        if self.settings.installation.wallet_keypair_filename is None:
            wallet = self.settings.installation.wallet_file
            if not wallet.exists():  # the signer names its address, although it signs nothing on paper
                print_message(f"Making an empty wallet for the signer, unused on paper: {wallet} ...")
            make_wallet(wallet)
        if self.settings.installation.signer_token_filename is None:
            make_secret(self.settings.installation.signer_token_file)
        if self.settings.installation.api_token_filename is None:
            make_token(self.settings.installation.token_file)
        load_token(self.settings.installation.token_file)  # fails early on an invalid token
        write_resolved(self.settings, Home(self.home).settings)

    def _embedded(self) -> list[str]:
        """Return the names of the embedded servers to start."""
        urls = {"PostgreSQL": self.settings.servers.database_url, "Valkey": self.settings.servers.redis_url}
        return [name for name, url in urls.items() if url is None]

    def _wait_for_ray(self) -> None:
        shown, slow, began = "", "", time.monotonic()
        while not self._ray.watch(_WATCH_S):
            self._compiler.check()
            for sentence in self.messages():
                print_message(sentence)
            if self._ray.waiting_for not in ("Ray", shown):
                shown = self._ray.waiting_for
                print_message(f"Starting {shown} ..." if shown != COMPILER else "Waiting for the compiler ...")
            if shown != slow and time.monotonic() - began > _SLOW_START_S:
                slow = shown
                print_message(
                    f"Still waiting for {shown} (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores) ..."
                )

    def watch(self, timeout_s: float) -> None:
        """Supervise the servers and Ray for up to ``timeout_s``; restart those that died.

        Raises:
            MemeSnipeError: a server, the local chain or Ray has failed to restart too often.
        """
        if self._chain is not None and self._chain.restart_if_dead():
            self.log.error("the local chain died and was restarted")
        try:
            for name in self._servers.restart_dead():
                self.log.error("server died and was restarted", name=name)
            self._failed_restarts, self._server_problem = 0, ""
        except LocalServerError as error:
            self._server_problem = f"a server has not restarted (attempt {self._failed_restarts + 1}): {error}"
            self._failed_restarts += 1
            self.log.error("server has not restarted", error=str(error), attempt=self._failed_restarts)
            if self._failed_restarts >= _MAX_RESTARTS:
                raise
        self._ray.watch(timeout_s)

    def wait_for_signer(self) -> None:
        """Wait until the signer signs.

        Raises:
            RefusedError: it does not.
        """
        deadline, problem = time.monotonic() + _SIGNER_S, "it does not answer"
        while time.monotonic() < deadline:
            self.watch(_WATCH_S)
            with suppress(OSError, ValueError, KeyError):
                health = orjson.loads(loopback.get(f"{self.dashboard}/signer/health", _SIGNER_ANSWER_S).body)
                problem = str(health["signing"])
                if problem == "on":
                    return
        raise RefusedError(f"--mode live: the signer signs nothing: {problem}; see docs/signer.md")

    def reload(self) -> list[str]:
        """Take over the reloadable settings of a changed `.env`, and pass them to the actors; return sentences."""
        changes = self._env.poll()
        if changes is None:
            return []
        sentences = list(changes.sentences)
        if changes.reloaded:
            self.settings = self.settings.changed(**changes.reloaded)
            set_level(self.settings.telemetry.log_level)
            try:
                write_resolved(self.settings, Home(self.home).settings)
            except OSError as error:  # a full disk must not end the system
                sentences.append(f"The actors keep the settings as they were: {error.strerror}.")
        for sentence in sentences:
            self.log.warning("settings changed", change=sentence)
        return sentences

    @property
    def condition(self) -> str:
        """Return the problems of the servers and Ray, for the user; "" while there are none."""
        return "; ".join(filter(None, (self._server_problem, self._ray.condition)))

    def messages(self) -> list[str]:
        """Return the sentences to show to the user since the last call."""
        messages, self._ray.messages = self._ray.messages, []
        return messages

    @property
    def has_ended(self) -> bool:
        """Return whether the system has been ended from another machine (`memesnipe down --address`)."""
        return self._ray.ended

    @property
    def ray_dashboard(self) -> str:
        """Return the URL of Ray's dashboard; "" when there is none."""
        return self._ray.dashboard

    @property
    def dashboard(self) -> str:
        """Return the URL of the dashboard."""
        return f"http://127.0.0.1:{self.settings.api.dashboard_port}"

    def stop_actors(self) -> None:
        """Stop Ray with actors and page; the servers and the local chain go on until the exit."""
        with suppress(OSError):  # a full disk must not keep the system from stopping
            write_condition(self.home, STOPPING)
        self._ray.stop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the parts in reverse order of their start."""
        self._stack.close()
