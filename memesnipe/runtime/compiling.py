"""`python -m memesnipe.runtime.compiling`: the separate process in which `memesnipe up` compiles strategies."""

import os
import sys
import time

from memesnipe.config.settings import load_settings
from memesnipe.engine.warm import compile_all, is_cold
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import print_compile_notice, print_message


def main() -> None:
    """Compile the families of the settings; write an error to standard output, from which the parent reads it."""
    try:
        families = load_families(load_settings())
        cold, began = is_cold(), time.monotonic()
        print_compile_notice()
        compile_all(families)
        if "measured" in sys.argv[1:]:
            from memesnipe.feeds.synth_market.market import compile_generator  # noqa: PLC0415 - other feeds do without

            compile_generator()
        if cold:
            print_message(f"Compiled in {time.monotonic() - began:.0f} s.")
    except MemeSnipeError as error:
        sys.stdout.write(str(error))
        sys.stdout.flush()
        os._exit(error.exit_code)


if __name__ == "__main__":
    main()
