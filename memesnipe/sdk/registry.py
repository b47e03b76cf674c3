"""Discovery: every file in a strategies folder that does not start with an underscore is a family."""

import ast
import importlib.util
import re
import sys
import traceback
from pathlib import Path

from memesnipe.errors import StrategyError, first_line
from memesnipe.sdk.checks import check, check_imports, shown_path
from memesnipe.sdk.file_linter import MAX_BYTES, check_file
from memesnipe.sdk.rule import rule_of
from memesnipe.sdk.strategy import Strategy

BUNDLED = Path(__file__).resolve().parents[2] / "strategies"
_NAME = re.compile("[a-z][a-z0-9_]{0,63}")

Families = dict[str, Strategy]


def discover(*folders: Path) -> Families:
    """Return one instance of each strategy, bundled or in ``folders``, by family name (the file's name), sorted.

    Raises:
        StrategyError: a folder is missing or empty, two files have the same name, or a file breaks a rule.
    """
    families: Families = {}
    files: dict[str, Path] = {}
    for folder in dict.fromkeys(path.resolve() for path in (BUNDLED, *folders)):
        for path in _files(folder):
            if path.stem in files:
                first = shown_path(files[path.stem])
                raise StrategyError(
                    f"{first} and {shown_path(path)} have the same name; rename one, because it names the family"
                )
            files[path.stem] = path
            families[path.stem] = _load(path)
    return dict(sorted(families.items()))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise StrategyError(f"there is no folder of strategies {shown_path(folder)}")
    found = sorted(folder.glob("[!_.]*.py"))
    if not found:
        raise StrategyError(f"no strategy found in {shown_path(folder)}")
    for path in found:
        if not _NAME.fullmatch(path.stem):
            raise StrategyError(
                f"{ascii(shown_path(path))[1:-1]}: the file's name is the family's: only lower-case letters, digits, _"
            )
    return found


def _load(path: Path) -> Strategy:
    strategy = _strategy_in(path)
    strategy.family = path.stem
    check(strategy)
    docstring = (sys.modules[strategy.__module__].__doc__ or "").strip()
    strategy.about = docstring.partition("\n")[0]
    strategy.rule = rule_of(docstring, strategy.params, shown_path(path))
    return strategy()


def _strategy_in(path: Path) -> type[Strategy]:
    """Load the file of a strategy after checking its imports and declarations."""
    file, name = shown_path(path), f"strategies.{path.stem}"
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
    except StrategyError as error:  # of a declaration, which does not include the line
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
        raise StrategyError(f"{file} contains {len(found)} strategies; a file must contain exactly one")
    return found[0]


def _parsed(path: Path, file: str) -> ast.Module:
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")
        with path.open("rb") as opened:
            source = opened.read(MAX_BYTES + 1)
        if len(source) > MAX_BYTES:
            raise StrategyError(f"{file} is larger than {MAX_BYTES} bytes; a strategy is a file of under 80 lines")
        return ast.parse(source)
    except SyntaxError as error:
        raise StrategyError(f"{file}:{error.lineno or 1}: SyntaxError: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise StrategyError(f"{file} is nested too deeply; split it with variables") from error
    except (OSError, ValueError) as error:
        raise StrategyError(f"{file} cannot be read as Python: {first_line(error)}") from error


def _line_in(error: BaseException, path: Path) -> int:
    """Return the innermost line of a file in an error's traceback, else 1."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if f.filename == str(path) and f.lineno), 1)
