"""Discovery: every file in a strategies folder that does not start with an underscore is a family."""

import importlib.util
import sys
from pathlib import Path

from memesnipe.errors import StrategyError
from memesnipe.sdk.strategy import Strategy

BUNDLED = Path(__file__).resolve().parents[2] / "strategies"

Families = dict[str, Strategy]


def discover(*folders: Path) -> Families:
    """One instance of each strategy found, by family name (its file's name), in order of name.

    Raises:
        StrategyError: a file does not load, or does not hold exactly one strategy.
    """
    families: Families = {}
    for folder in folders or (BUNDLED,):
        for path in sorted(folder.glob("[!_]*.py")):
            families[path.stem] = _load(path)
    if not families:
        raise StrategyError(f"no strategy found in {', '.join(map(str, folders or (BUNDLED,)))}")
    return dict(sorted(families.items()))


def _load(path: Path) -> Strategy:
    name = f"strategies.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except StrategyError as error:
        raise StrategyError(f"{path}: {error}") from error
    except Exception as error:
        raise StrategyError(f"{path} does not load: {type(error).__name__}: {error}") from error
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Strategy) and item.__module__ == name
    ]
    if len(found) != 1:
        raise StrategyError(f"{path} holds {len(found)} strategies; one file is one family")
    found[0].family = path.stem
    return found[0]()
