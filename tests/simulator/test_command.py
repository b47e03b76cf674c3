"""The command of the simulator rejects numbers with which it would check nothing."""

import pytest

from memesnipe.testing.simulator.__main__ import main


@pytest.mark.parametrize("option", ["--histories", "--workers"])
def test_a_number_below_one_is_rejected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.setattr("sys.argv", ["simulator", option, "0"])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert err.splitlines()[-1].endswith(f"error: argument {option}: must be at least 1")
    assert out == ""
