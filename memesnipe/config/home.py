"""The home folder of an installation: its name, and the files that describe the running system."""

from hashlib import blake2b
from pathlib import Path

RESOLVED = "settings.json"
_CONDITION = "condition"


def installation_of(home: Path) -> str:
    """Return the name of the installation in a folder: a hash of its path."""
    return blake2b(str(home).encode(), digest_size=6).hexdigest()


def write_condition(home: Path, condition: str) -> None:
    """Store for `memesnipe status` why `memesnipe up` is not ready; "" removes the text."""
    path = home / _CONDITION
    if condition:
        path.write_text(condition)
    else:
        path.unlink(missing_ok=True)


def read_condition(home: Path) -> str:
    """Return why `memesnipe up` is not ready; "" if it is."""
    try:
        return (home / _CONDITION).read_text()
    except FileNotFoundError:
        return ""
