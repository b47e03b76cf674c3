"""What names an installation: its folder, and the file in it that holds the settings of what runs there."""

from hashlib import blake2b
from pathlib import Path

RESOLVED = "settings.json"


def installation_of(home: Path) -> str:
    """A name for the installation in a folder."""
    return blake2b(str(home).encode(), digest_size=6).hexdigest()
