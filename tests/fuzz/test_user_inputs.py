"""User input (`.env`, genomes, parameters, pools, strategy files): a valid value, or an error of one line."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memesnipe.cli.inputs import read_json
from memesnipe.cli.specs import genome_of
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings, load_settings
from memesnipe.config.types import range_of
from memesnipe.engine.genome import Genome, genome_from, simple_genome
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.market.plausible import MAX_LAMPORTS, MAX_RAW
from memesnipe.market.quotes import MAX_VALUES, OPS, quote_all, quote_one
from memesnipe.sdk.registry import BUNDLED, _load, discover

FAMILIES = discover()
FAMILY = "momentum_5m"
GENOME = simple_genome(FAMILY, {name: p.default for name, p in FAMILIES[FAMILY].params.items()}).to_dict()
NAMES = [name.upper() for name in Settings.fields()]
CURVE = {"v_sol": 40 * 10**9, "v_tok": 804_750_000_000_000, "op": "buy_exact_quote_in", "quote_in": 10**9}
PUMPSWAP = {
    "base_reserve": "60257379582069", "quote_reserve": "41416994790", "virtual_quote_reserves": "19241377916",
    "base_supply": "1000000000000000", "coin_creator": True, "op": "sell_exact_base_in", "base_in": 10**9,
}  # fmt: skip
AMM = {"venue": "amm", "quote_reserve": 50 * 10**9, "base_reserve": 10**15, "op": "buy_exact_base_out", "base_out": 5}

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(10**45), 10**45),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, -1, 2**62, 2**63 - 1, 2**63, 2**64, 10**16, 10**16 + 1, 1e308, 5e-324, 0.5, True]),
)
ODD_TEXTS = st.one_of(
    st.text(max_size=30),
    NUMBERS.map(str),
    st.sampled_from(["nan", "inf", "-inf", "1e999", "1_000", " 1 ", "0x10", "٣", "9" * 5000, "true", "", "\x00"]),
)
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, ODD_TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """An empty working directory, and an environment without settings."""
    made = Path(tempfile.mkdtemp(prefix="memesnipe-fuzz-")).resolve()
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patched:
        for name in NAMES:
            patched.delenv(name, raising=False)
        os.chdir(made)
        yield made
        os.chdir(before)
    shutil.rmtree(made)


def _or_one_line(action: Callable[[], Any]) -> Any:
    """Return the result; None if the input is rejected, which must be an input error of one line."""
    try:
        return action()
    except MemeSnipeError as error:
        assert error.exit_code in (2, 3)
        text = str(error)
        assert text
        assert "\n" not in text
        assert "\x1b" not in text
        assert len(text) < 3_000
        return None


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Draw a JSON value with some parts replaced, removed, renamed or added."""
    if isinstance(value, dict):
        made = {name: draw(mutated(part)) for name, part in value.items()}
        for _ in range(draw(st.integers(0, 1)) if draw(st.integers(0, 5)) == 0 else 0):
            names = list(made)
            name = draw(st.sampled_from(names)) if names else "x"
            match draw(st.integers(0, 2)):
                case 0:
                    made.pop(name, None)
                case 1:
                    made[name + draw(st.sampled_from(["s", "_", "x"]))] = made.pop(name, 1)
                case _:
                    made[draw(st.text(max_size=8))] = draw(JSON_VALUES)
        return made
    if isinstance(value, list):
        parts = [draw(mutated(part)) for part in value]
        return parts * draw(st.sampled_from([1, 1, 1, 0, 2, 4]))
    return draw(JSON_VALUES) if draw(st.integers(0, 11)) == 0 else value


LINES = st.one_of(
    st.tuples(st.sampled_from(NAMES), ODD_TEXTS).map("=".join),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["1", "0.5", "8", "100"])).map("=".join),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "'", '"', "export ", "#", " "])).map(lambda t: t[1] + t[0]),
    st.sampled_from(NAMES).map(lambda name: name[:-1] + "=1"),
    st.text(max_size=40),
)


@given(st.one_of(st.lists(LINES, max_size=6).map("\n".join).map(lambda t: t.encode("utf-8", "replace")), st.binary()))
@example(b"# caf\xe9\nSHADOW_CAPITAL_USD=5000\n")
def test_a_file_of_settings(folder: Path, data: bytes) -> None:
    (folder / ".env").write_bytes(data)
    settings = _or_one_line(load_settings)
    (folder / ".env").unlink()
    if settings is None:
        return
    for name, field in Settings.fields().items():
        value = settings.flat[name]
        assert not isinstance(value, float) or (range_of(field) and math.isfinite(value))
    assert fill_model_of(settings).latency_ns >= 0


def _written(folder: Path, value: Any) -> Path:
    path = folder / "input.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


@given(st.one_of(mutated(GENOME), mutated({"spec": GENOME, "train_sharpe": 1.0}), JSON_VALUES, ODD_TEXTS))
@example({**GENOME, "size": 10**40})
def test_a_genome_in_a_file(folder: Path, value: Any) -> None:
    path = _written(folder, value)
    genome = _or_one_line(lambda: genome_of(FAMILIES, None, [], path))
    if genome is None:
        return
    assert isinstance(genome, Genome)
    assert genome_from(orjson.loads(orjson.dumps(genome.to_dict()))) == genome
    for gene in genome.signals:
        assert {*gene.params} == {*FAMILIES[gene.family].params}
        assert all(FAMILIES[gene.family].params[n].clip(v) == v for n, v in gene.params.items())


PARAMETERS = st.tuples(st.sampled_from([*FAMILIES[FAMILY].params, "x"]), ODD_TEXTS).map("=".join)


@given(st.lists(st.one_of(ODD_TEXTS, PARAMETERS), max_size=3))
def test_parameters_on_the_command_line(params: list[str]) -> None:
    genome = _or_one_line(lambda: genome_of(FAMILIES, FAMILY, params, None))
    if genome is not None:
        assert genome_from(genome.to_dict()) == genome


@given(st.one_of(*(mutated(row) for row in (CURVE, PUMPSWAP, AMM)), JSON_VALUES), st.booleans())
@example(AMM | {"base_out": 10**15 - 1}, False)
@example({name: value for name, value in PUMPSWAP.items() if name != "coin_creator"}, False)
def test_a_pool_and_its_trade(folder: Path, value: Any, as_list: bool) -> None:
    path = _written(folder, [value, CURVE] if as_list else value)
    quote = quote_all if as_list else quote_one
    quoted = _or_one_line(lambda: quote(read_json(path, "--pool")))
    if quoted is None:
        return
    orjson.dumps(quoted)
    for found in quoted.get("quotes", [quoted]):
        assert 0 <= found["internal_quote"] <= MAX_LAMPORTS
        assert 0 <= found["fee_lamports"] <= MAX_LAMPORTS
        assert 0 < found[OPS[found["op"]]] <= MAX_VALUES[OPS[found["op"]]] <= MAX_RAW
        assert math.isfinite(found["price_impact"])


SOURCE = (BUNDLED / "_template.py").read_text()
WORDS = [
    "exit()", "print(1)", "while True: pass", "lambda: 0", "0", "1e999", "**", "//", "%", "(", ")", "[", "\n", "    ",
    "\x0c", "\\", "e.ts", "p.rise", "s", "import os", "'", '"""', "\x00", "é", "@", ":=", "9" * 50, "async ", "del x",
]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(SOURCE)), st.integers(0, 12), st.sampled_from(WORDS)), max_size=4))
def test_a_strategy_file(folder: Path, changes: list[tuple[int, int, str]]) -> None:
    source = SOURCE
    for at, length, word in changes:
        source = source[:at] + word + source[at + length :]
    path = folder / "mine.py"
    path.write_text(source)
    strategy = _or_one_line(lambda: _load(path))
    assert strategy is None or strategy.family == "mine"


def test_an_invalid_genome_is_an_input_error() -> None:
    with pytest.raises(InputError):
        genome_from({})
