"""The settings of what runs in this folder, or else those that it would start with."""

from pathlib import Path

from memesnipe.config.home import RESOLVED
from memesnipe.config.settings import Settings, load_settings, read_resolved
from memesnipe.runtime.lock import holder


def settings_here() -> tuple[Settings, Path]:
    """Them, and the folder of the installation's data."""
    settings = load_settings()
    home = settings.memesnipe_home.resolve()
    return (read_resolved(home / RESOLVED) if holder(home) else settings), home
