"""`python -m memesnipe` is the command `memesnipe`."""

from memesnipe.cli.main import run

run()
