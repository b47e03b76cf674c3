"""Taking over changed settings in a running system: those that are declared reloadable, and no others."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from memesnipe.config.group import decides, reloadable
from memesnipe.config.settings import ENV_FILE, Settings, load_settings, read_resolved
from memesnipe.errors import MemeSnipeError

_MISSING: Final = (0, 0, 0)


@dataclass(slots=True)
class FileWatch:
    """Whether a file has changed since the last look; one that is missing is a state like any other."""

    path: Path
    _seen: tuple[int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = self._state()

    def has_changed(self) -> bool:
        """Return whether the file is another one than at the last call."""
        before, self._seen = self._seen, self._state()
        return self._seen != before

    def _state(self) -> tuple[int, int, int]:
        try:
            status = self.path.stat()
        except OSError:
            return _MISSING
        return status.st_mtime_ns, status.st_size, status.st_ino


class ResolvedWatch:
    """The reloadable settings of an actor, from the file that `memesnipe up` writes.

    Args:
        path: of the resolved settings.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._watch = path, FileWatch(path)

    def changes(self, settings: Settings) -> dict[str, Any]:
        """Return the new values of reloadable settings, by name; {} while the file is the same.

        Raises:
            SettingsError: the file cannot be read.
        """
        if not self._watch.has_changed() or not self._path.is_file():
            return {}
        return _reloadable_changes(settings, read_resolved(self._path))


@dataclass(frozen=True, slots=True)
class EnvChanges:
    """What changes with a new `.env`.

    Attributes:
        reloaded: new values that a running system takes over, by the names of the settings.
        sentences: about all changes, for the user.
    """

    reloaded: dict[str, Any]
    sentences: list[str]


class EnvWatch:
    """The changes of `.env` since the start of `memesnipe up`."""

    def __init__(self, path: Path = ENV_FILE) -> None:
        self._watch = FileWatch(path)
        self._path = path
        self._loaded: Settings | None = None

    def poll(self) -> EnvChanges | None:
        """Return what has changed; None while the file is the same, or has no new value."""
        if self._loaded is None:
            self._loaded = load_settings()
            return None
        if not self._watch.has_changed():
            return None
        try:
            new = load_settings()
        except MemeSnipeError as error:
            return EnvChanges({}, [f"{self._path} is not valid, and the settings stay as they are: {error}"])
        before, self._loaded = self._loaded, new
        reloaded = _reloadable_changes(before, new)
        sentences = [f"{name.upper()} is {value} now." for name, value in reloaded.items()]
        fields, old = Settings.fields(), before.flat
        for name, value in new.flat.items():
            if value != old[name] and name not in reloaded:
                when = "begins a new run" if decides(fields[name]) else "takes effect"
                sentences.append(f"{name.upper()} was changed, which {when} at the next start of `memesnipe up`.")
        return EnvChanges(reloaded, sentences) if sentences else None


def _reloadable_changes(before: Settings, after: Settings) -> dict[str, Any]:
    """Return the reloadable values that differ, those of ``after``."""
    fields, old = Settings.fields(), before.flat
    return {name: value for name, value in after.flat.items() if reloadable(fields[name]) and value != old[name]}
