"""The compiler says which part of how many it compiles."""

import pytest

from memesnipe.engine.warm import compile_all
from memesnipe.runtime import compiling
from memesnipe.sdk.registry import discover


def test_every_part_is_reported_before_it_is_compiled() -> None:
    families, parts = discover(), []
    compile_all(families, lambda part, number, of: parts.append((part, number, of)))
    count = len(families) + 1
    assert parts == [(name, i, count) for i, name in enumerate([*families, "the engine"], 1)]


def test_a_line_says_what_is_compiled_at_most_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = compiling._reporter(100.0)
    for number, now_s in enumerate((103.0, 111.0, 115.0, 130.5), 1):
        monkeypatch.setattr(compiling.time, "monotonic", lambda now_s=now_s: now_s)
        report("momentum_5m", number, 11)
    assert capsys.readouterr().err.splitlines() == [
        "Compiling 2 of 11: momentum_5m (11 s so far) ...",
        "Compiling 4 of 11: momentum_5m (30 s so far) ...",
    ]
