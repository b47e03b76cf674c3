"""Discovery: every file in a strategies folder that does not start with an underscore is a family."""

import ast
import importlib.util
import re
import sys
import traceback
from pathlib import Path

from memesnipe.errors import StrategyError, first_line
from memesnipe.sdk.checks import check, check_imports, place
from memesnipe.sdk.file_linter import MAX_BYTES, check_file
from memesnipe.sdk.strategy import Strategy

BUNDLED = Path(__file__).resolve().parents[2] / "strategies"
_NAME = re.compile("[a-z][a-z0-9_]{0,63}")

Families = dict[str, Strategy]


def discover(*folders: Path) -> Families:
    """One instance of each bundled strategy and of those in ``folders``, by family name (its file's name), in order.

    Raises:
        StrategyError: a folder is not there or empty, two files have one name, or a file breaks a rule.
    """
    families: Families = {}
    files: dict[str, Path] = {}
    for folder in dict.fromkeys(path.resolve() for path in (BUNDLED, *folders)):
        for path in _files(folder):
            if path.stem in files:
                first = place(files[path.stem])
                raise StrategyError(
                    f"{first} and {place(path)} have the same name; rename one, a family is its file's name"
                )
            files[path.stem] = path
            families[path.stem] = _load(path)
    return dict(sorted(families.items()))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StrategyError(f"there is no folder {place(folder)} to look for strategies in")
    found = sorted(folder.glob("[!_.]*.py"))
    if not found:
        raise StrategyError(f"no strategy found in {place(folder)}")
    for path in found:
        if not _NAME.fullmatch(path.stem):
            raise StrategyError(
                f"{ascii(place(path))[1:-1]}: a family is its file's name, which has small letters, digits and _ only"
            )
    return found


def _load(path: Path) -> Strategy:
    strategy = _strategy_in(path)
    strategy.family = path.stem
    check(strategy)
    return strategy()


def _strategy_in(path: Path) -> type[Strategy]:
    """Run the file of a strategy, if it imports the SDK alone."""
    file, name = place(path), f"strategies.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{file} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    tree = _parsed(path, file)
    check_imports(tree, file)
    check_file(tree, file)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except StrategyError as error:  # of a declaration; it does not know its line
        raise StrategyError(f"{file}:{_line_in(error, path)}: {error}") from error
    except Exception as error:
        raise StrategyError(
            f"{file}:{_line_in(error, path)}: does not load: {type(error).__name__}: {first_line(error)}"
        ) from error
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Strategy) and item.__module__ == name
    ]
    if len(found) != 1:
        raise StrategyError(f"{file} holds {len(found)} strategies; one file is one family")
    return found[0]


def _parsed(path: Path, file: str) -> ast.Module:
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        with path.open("rb") as opened:
            source = opened.read(MAX_BYTES + 1)
        if len(source) > MAX_BYTES:
            raise StrategyError(f"{file} is larger than {MAX_BYTES} bytes; a strategy is a file of under 80 lines")
        return ast.parse(source)
    except SyntaxError as error:
        raise StrategyError(f"{file}:{error.lineno or 1}: SyntaxError: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise StrategyError(f"{file} is nested too deep to be read; take it apart with variables") from error
    except (OSError, ValueError) as error:
        raise StrategyError(f"{file} cannot be read as Python: {first_line(error)}") from error


def _line_in(error: BaseException, path: Path) -> int:
    """The last line of a file on an error's way up."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == str(path) and f.lineno), 1)
