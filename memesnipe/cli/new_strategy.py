"""Write a new family from the template: its file, its page and its tests, which pass as written."""

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from memesnipe import sdk
from memesnipe.errors import InputError
from memesnipe.sdk.registry import BUNDLED

# The headings are those of `docs/STRATEGY_TEMPLATE.md`, which explains them; the parameters are the template's.
_PAGE = """# {name}

One sentence: what it buys, and when it returns SELL.

## Hypothesis

What happens first, what follows from it, how soon, and why.

## Who loses

Whose money does it make? Who are they, and why do they keep trading this way?

## Events

- `PRICE`: price and side.

What it returns when a kind of event is missing, or when the last one is old.

## Parameters

| parameter | range | default | unit | what it does |
|---|---|---|---|---|
| `lookback_s` | 30 to 3,600 | 300 | s | period of the means |
| `rise` | 0.01 to 0.5 | 0.05 | ratio | least excess of the price over its mean |
| `lead` | 0 to 0.9 | 0.2 | ratio | least excess of buys over sells |

## How it fails

- When not to use it, what resembles its signal but is not, and what a wrong decision costs.
"""
_TEST = '''"""Tests of {name}. Add a scenario that it must trade, and one that it must not trade."""

import math
from itertools import islice
from pathlib import Path

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import EVENT, Events, rows
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk import BUY, HOLD, SELL, SHORT
from memesnipe.sdk.registry import discover

NAME = "{name}"
FAMILIES = discover(Path(__file__).resolve().parents[{parents}]{below})
STRATEGY = FAMILIES[NAME]
TAPE, _ = Sequencer(60, 600).stamp(list(islice(SyntheticFeed(seed=1).messages(0), 2000)))


def genome(share: float) -> Genome:
    """Return a genome of this family alone, each parameter at the same share of its range."""
    params = {{name: p.at(share) for name, p in STRATEGY.params.items()}}
    return Genome((SignalGene(NAME, params, 1.0),), 0.5, 0.1, ExitGenes(0.3, 1.0, 0.3, 600.0), FilterGenes(0.0, 0.0))


def votes(events: Events) -> list[int]:
    """Return the vote on each event of a subscribed kind, with default parameters."""
    params, states = STRATEGY.make_params({{}}), {{}}
    return [
        STRATEGY.on_event(params, states.setdefault(event.token, STRATEGY.make_state()), event)
        for event in rows(events)
        if event.kind in STRATEGY.subscriptions
    ]


def test_it_compiles_and_is_repeatable() -> None:
    genomes = [genome(share) for share in (0.0, 0.3, 0.6, 1.0)]
    first, second = (backtest(TAPE, genomes, FAMILIES, FillModel(), 1000.0) for _ in range(2))
    assert [result.digest for result in first] == [result.digest for result in second]


def test_every_vote_is_buy_sell_short_or_hold() -> None:
    assert set(votes(TAPE)) <= {{BUY, SELL, SHORT, HOLD}}


def test_it_does_not_trade_on_nan() -> None:
    broken, half = TAPE.copy(), len(TAPE) // 2
    for field in EVENT.names:
        if EVENT[field].kind == "f":
            broken[field][half:] = math.nan
    after = votes(broken)[len(votes(TAPE[:half])) :]
    assert not {{BUY, SHORT}} & set(after)
'''


@dataclass(frozen=True, slots=True)
class NewStrategyFiles:
    """The files of a new family."""

    strategy: Path
    doc: Path
    test: Path


def new_strategy(name: str, folder: Path, others: Iterable[Path]) -> NewStrategyFiles:
    """Write the family ``name`` into ``folder``; return the paths.

    For the `strategies` folder of a checkout, the page is written to `docs/strategies` and the test to
    `tests/strategies`; for any other folder, to its subfolders `docs` and `tests`.

    Raises:
        InputError: the name is not valid, or is taken here or in ``others``, or the folder cannot be written.
    """
    class_name = "".join(part.capitalize() for part in name.split("_"))
    _check_name(name, class_name)
    top = folder.resolve().parent
    in_checkout = folder.resolve().name == "strategies" and (top / "docs" / "strategies").is_dir()
    docs, tests = (
        (top / "docs/strategies", top / "tests/strategies") if in_checkout else (folder / "docs", folder / "tests")
    )
    written = NewStrategyFiles(folder / f"{name}.py", docs / f"{name}.md", tests / f"test_{name}.py")
    families = [known / f"{name}.py" for known in (BUNDLED, *others)]
    for path in (*families, written.strategy, written.doc, written.test):
        if path.exists():
            raise InputError(f"{name}: {path} already exists; choose another name")
    parents, below = (2, ' / "strategies"') if in_checkout else (1, "")
    texts = {
        written.strategy: _strategy(class_name),
        written.doc: _PAGE.format(name=name),
        written.test: _TEST.format(name=name, parents=parents, below=below),
    }
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    except OSError as error:
        raise InputError(f"--folder {folder}: cannot write {error.filename}: {error.strerror}") from error
    return written


def _check_name(name: str, class_name: str) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        raise InputError(
            f"{name[:64]}: a family's name consists of at most 64 lower-case letters, digits and _, "
            "such as fast_dip_5m, and begins with a letter"
        )
    if class_name in sdk.__all__:
        raise InputError(f"{name}: its class {class_name} would have a name of the SDK; choose another name")


def _strategy(class_name: str) -> str:
    """Return the template with the class renamed, without the comments about the template."""
    lines = (BUNDLED / "_template.py").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    return text.replace("class Template(", f"class {class_name}(")
