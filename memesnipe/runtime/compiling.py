"""The program that `memesnipe up` compiles with, in a process of its own: `python -m memesnipe.runtime.compiling`."""

import os
import sys
import time

from memesnipe.config.settings import load_settings
from memesnipe.engine.warm import compile_all, is_cold
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import say, say_if_cold


def main() -> None:
    """Compile what the settings name; what is wrong with a strategy goes to standard output, for who has started us."""
    try:
        families = load_families(load_settings())
        cold, began = is_cold(), time.monotonic()
        say_if_cold()
        compile_all(families)
        if cold:
            say(f"Compiled in {time.monotonic() - began:.0f} s.")
    except MemeSnipeError as error:
        sys.stdout.write(str(error))
        sys.stdout.flush()
        os._exit(error.exit_code)


if __name__ == "__main__":
    main()
