"""`python -m memesnipe.runtime.compiling`: the separate process in which `memesnipe up` compiles strategies."""

import os
import sys
import time
from collections.abc import Callable
from typing import Final

from memesnipe.config.settings import load_settings
from memesnipe.engine.warm import compile_all, is_cold
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import print_compile_notice, print_message

_LINE_EVERY_S: Final = 10.0


def main() -> None:
    """Compile the families of the settings; write an error to standard output, from which the parent reads it."""
    try:
        families = load_families(load_settings())
        cold, began = is_cold(), time.monotonic()
        print_compile_notice()
        compile_all(families, _reporter(began) if cold else lambda *_: None)
        if "measured" in sys.argv[1:]:
            from memesnipe.feeds.synth_market.market import compile_generator  # noqa: PLC0415 - other feeds do without

            print_compile_notice("the market's generator", "kernel.generate_lives")
            compile_generator()
        if cold:
            print_message(f"Compiled in {time.monotonic() - began:.0f} s.")
    except MemeSnipeError as error:
        sys.stdout.write(str(error))
        sys.stdout.flush()
        os._exit(error.exit_code)


def _reporter(began: float) -> Callable[[str, int, int], None]:
    """Return a function that prints what is compiled, at most every 10 s."""
    printed = began

    def report(part: str, number: int, of: int) -> None:
        nonlocal printed
        if time.monotonic() - printed >= _LINE_EVERY_S:
            printed = time.monotonic()
            print_message(f"Compiling {number} of {of}: {part} ({printed - began:.0f} s so far) ...")

    return report


if __name__ == "__main__":
    main()
