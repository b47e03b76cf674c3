"""The settings in force in this folder."""

from pathlib import Path

from memesnipe.config.home import Home
from memesnipe.config.settings import Settings, load_settings, read_resolved
from memesnipe.runtime.lock import holder


def current_settings() -> tuple[Settings, Path]:
    """Return the settings of the running `memesnipe up`, else those that it would start with, and the home folder."""
    settings = load_settings()
    home = settings.installation.memesnipe_home.resolve()
    return (read_resolved(Home(home).settings) if holder(home) else settings), home
