"""What names an installation: its folder, and the files in it that say what runs there, and how that is."""

from hashlib import blake2b
from pathlib import Path

RESOLVED = "settings.json"
_CONDITION = "condition"


def installation_of(home: Path) -> str:
    """A name for the installation in a folder."""
    return blake2b(str(home).encode(), digest_size=6).hexdigest()


def write_condition(home: Path, condition: str) -> None:
    """Keep for `memesnipe status` what `memesnipe up` waits for, in words; "" removes it."""
    path = home / _CONDITION
    if condition:
        path.write_text(condition)
    else:
        path.unlink(missing_ok=True)


def read_condition(home: Path) -> str:
    """What `memesnipe up` waits for, in words; "" where that is nothing."""
    try:
        return (home / _CONDITION).read_text()
    except FileNotFoundError:
        return ""
