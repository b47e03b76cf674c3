"""The home folder of an installation: its name, and the path of everything in it. No other module joins these paths."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run."""

    folder: Path

    @property
    def event_log(self) -> Path:
        """Return the file of the run's events."""
        return self.folder / "events.bin"

    @property
    def feed_checkpoints(self) -> Path:
        """Return the file with the states of a generated feed, or with what a live feed knows."""
        return self.folder / "feed.checkpoints"

    def snapshot(self, actor: str) -> Path:
        """Return the file of an actor's state that can be derived again."""
        return self.folder / f"{actor}.snapshot"

    def activity(self, actor: str) -> Path:
        """Return the file with an actor's current activity."""
        return self.folder / f"{actor}.activity"


@dataclass(frozen=True, slots=True)
class Home:
    """The home folder of one installation."""

    folder: Path

    @property
    def installation(self) -> str:
        """Return the name of the installation: a hash of the folder's path."""
        return blake2b(str(self.folder).encode(), digest_size=6).hexdigest()

    @property
    def lock(self) -> Path:
        """Return the lock of `memesnipe up`, which contains its process id."""
        return self.folder / "up.lock"

    @property
    def compile_lock(self) -> Path:
        """Return the lock that is held while the engine is compiled."""
        return self.folder / "compile.lock"

    @property
    def settings(self) -> Path:
        """Return the file of the settings that `memesnipe up` has resolved."""
        return self.folder / "settings.json"

    @property
    def condition(self) -> Path:
        """Return the file with the reason why the page is not available; it exists only while there is one."""
        return self.folder / "condition"

    @property
    def checkpoint(self) -> Path:
        """Return the file with what the supervisor has started."""
        return self.folder / "supervisor.json"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.folder / "logs"

    @property
    def ray_output(self) -> Path:
        """Return the file with the output of Ray's processes."""
        return self.logs / "ray.out"

    @property
    def up_output(self) -> Path:
        """Return the file with the output of `memesnipe up --detach`."""
        return self.logs / "up.out"

    @property
    def redis(self) -> Path:
        """Return the folder of the embedded Redis."""
        return self.folder / "redis"

    @property
    def postgres(self) -> Path:
        """Return the folder of the embedded PostgreSQL."""
        return self.folder / "postgres"

    @property
    def server_folders(self) -> tuple[Path, Path]:
        """Return the folders of both embedded servers, as `LocalServers` takes them."""
        return self.redis, self.postgres

    @property
    def redis_pid(self) -> Path:
        """Return the file with the process id of the embedded Redis."""
        return self.redis / "redis.pid"

    @property
    def postgres_pid(self) -> Path:
        """Return the file with the process id of the embedded PostgreSQL."""
        return self._database / "postmaster.pid"

    @property
    def has_database(self) -> bool:
        """Return whether an embedded database has been created."""
        return (self._database / "PG_VERSION").is_file()

    @property
    def _database(self) -> Path:
        """Return the folder of the data, which for root may be elsewhere (`memesnipe.servers.postgres_location`)."""
        moved = self.postgres / "moved-to"
        return (moved if moved.is_symlink() else self.postgres) / "data"

    @property
    def wallet(self) -> Path:
        """Return the keypair file that is created for the installation."""
        return self.folder / "wallet" / "keypair.json"

    @property
    def token(self) -> Path:
        """Return the file with the token for commands that is created for the installation."""
        return self.folder / "secrets" / "api_token"

    @property
    def signer_token(self) -> Path:
        """Return the file with the secret of the signer and its clients that is created for the installation."""
        return self.folder / "secrets" / "signer_token"

    @property
    def signer(self) -> Path:
        """Return the folder of the signer's policy, spending, audit log and kill switch."""
        return self.folder / "signer"

    @property
    def signer_policy(self) -> Path:
        """Return the file with the signer's policy that is created for the installation."""
        return self.signer / "signer-policy.toml"

    @property
    def signer_audit(self) -> Path:
        """Return the signer's audit log."""
        return self.signer / "audit.jsonl"

    @property
    def signer_halt(self) -> Path:
        """Return the kill switch: while this file exists, new entries stop (`memesnipe.halt_file`)."""
        return self.signer / "halt"

    @property
    def localnet(self) -> Path:
        """Return the folder of `memesnipe up --localnet`: a wallet, a policy and the signer's state of its own."""
        return self.folder / "localnet"

    def tapes(self, run_id: int) -> Path:
        """Return the folder of the tapes that a run has recorded."""
        return self.folder / "tapes" / str(run_id)

    def past_tape(self, market: str, seed: int, hours: float) -> Path:
        """Return the tape of the past of a generated market."""
        return self.folder / "tapes" / f"{market}-{seed}-{hours:g}h.tape"

    def run(self, run_id: int) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.folder / "runs" / str(run_id))


def installation_of(home: Path) -> str:
    """Return the name of the installation in a folder."""
    return Home(home).installation


STARTING = "waits for "  # the beginning of a condition during the start
STOPPING = "stopping"  # the condition from the end of the run on


def write_condition(home: Path, condition: str) -> None:
    """Store for `memesnipe status` why `memesnipe up` is not ready; "" removes the text."""
    path = Home(home).condition
    if condition:
        path.write_text(condition)
    else:
        path.unlink(missing_ok=True)


def read_condition(home: Path) -> str:
    """Return why `memesnipe up` is not ready; "" if it is."""
    try:
        return Home(home).condition.read_text()
    except FileNotFoundError:
        return ""
