"""Writes a new family from the template: its file, its page and its tests, which pass at once."""

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

One sentence: what it buys, and when it says SELL.

## Hypothesis

What happens first, what follows from it, how soon, and why.

## Who loses

The money you make is somebody's. Who is it, and why does he go on doing it?

## Events

- `PRICE`: price and side.

What it says when a kind never comes, or when the last one is old.

## Parameters

| parameter | range | default | unit | what it does |
|---|---|---|---|---|
| `lookback_s` | 30 to 3,600 | 300 | s | over what the means are taken |
| `rise` | 0.01 to 0.5 | 0.05 | ratio | the price must be so far above its mean |
| `lead` | 0 to 0.9 | 0.2 | ratio | so many more must buy than sell |

## How it fails

- When not to use it, what looks like its signal and is not, and what it costs to be wrong.
"""
_TEST = '''"""What {name} must show. Add its stories: one that it must act on, one that it must leave."""

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
    """One that follows the family alone, each parameter at the same share of its range."""
    params = {{name: p.at(share) for name, p in STRATEGY.params.items()}}
    return Genome((SignalGene(NAME, params, 1.0),), 0.5, 0.1, ExitGenes(0.3, 1.0, 0.3, 600.0), FilterGenes(0.0, 0.0))


def said(events: Events) -> list[int]:
    """What it answers to each event that it hears, with its default parameters."""
    params, states = STRATEGY.make_params({{}}), {{}}
    return [
        STRATEGY.on_event(params, states.setdefault(event.token, STRATEGY.make_state()), event)
        for event in rows(events)
        if event.kind in STRATEGY.subscriptions
    ]


def test_it_compiles_and_does_the_same_twice() -> None:
    genomes = [genome(share) for share in (0.0, 0.3, 0.6, 1.0)]
    first, second = (backtest(TAPE, genomes, FAMILIES, FillModel(), 1000.0) for _ in range(2))
    assert [result.digest for result in first] == [result.digest for result in second]


def test_it_answers_buy_sell_short_or_hold() -> None:
    assert set(said(TAPE)) <= {{BUY, SELL, SHORT, HOLD}}


def test_it_never_acts_on_what_is_not_a_number() -> None:
    broken, half = TAPE.copy(), len(TAPE) // 2
    for field in EVENT.names:
        if EVENT[field].kind == "f":
            broken[field][half:] = math.nan
    after = said(broken)[len(said(TAPE[:half])) :]
    assert not {{BUY, SHORT}} & set(after)
'''


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a new family."""

    strategy: Path
    doc: Path
    test: Path


def new_strategy(name: str, folder: Path, others: Iterable[Path]) -> Written:
    """Write the family ``name`` into ``folder``.

    In a checkout's `strategies` folder its page goes to `docs/strategies` and its test to `tests/strategies`, as
    those of the bundled families; anywhere else they go to `docs` and `tests` in the folder itself.

    Raises:
        InputError: the name cannot be a family's or is taken, in ``others`` too, or the folder cannot be written.
    """
    class_name = "".join(part.capitalize() for part in name.split("_"))
    _check_name(name, class_name)
    top = folder.resolve().parent
    in_checkout = folder.resolve().name == "strategies" and (top / "docs" / "strategies").is_dir()
    docs, tests = (
        (top / "docs/strategies", top / "tests/strategies") if in_checkout else (folder / "docs", folder / "tests")
    )
    written = Written(folder / f"{name}.py", docs / f"{name}.md", tests / f"test_{name}.py")
    families = [place / f"{name}.py" for place in (BUNDLED, *others)]
    for path in (*families, written.strategy, written.doc, written.test):
        if path.exists():
            raise InputError(f"{name}: there is {path} already; choose another name")
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
            f"{name[:64]}: a family's name is a word of lower-case letters, digits and _, such as fast_dip_5m, "
            "of at most 64"
        )
    if class_name in sdk.__all__:
        raise InputError(f"{name}: its class would be called {class_name}, as one of the SDK; choose another name")


def _strategy(class_name: str) -> str:
    """The template without the words about itself."""
    lines = (BUNDLED / "_template.py").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    return text.replace("class Template(", f"class {class_name}(")
