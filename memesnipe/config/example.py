"""The text of `.env.example`. Update the file with `python -m memesnipe.config.example > .env.example`."""

import inspect

from pydantic.fields import FieldInfo

from memesnipe.config.group import decides, reloadable
from memesnipe.config.settings import Settings
from memesnipe.config.types import range_of

_HEADER = (
    "# Copy to .env and change the settings you need. Every line shows the default.",
    "# (run) marks the settings that a run keeps: with another value, `memesnipe up` begins a new run.",
    "# (reload) marks those that a running system takes over when this file is changed.",
)


def env_example() -> str:
    """Return every setting by topic, with its meaning, range and default."""
    lines = list(_HEADER)
    for kind in Settings.groups().values():
        lines += ["", "", f"# --- {inspect.getdoc(kind)}"]
        for name, field in kind.model_fields.items():
            lines += ["", *_lines(name, field)]
    return "\n".join(lines) + "\n"


def _lines(name: str, field: FieldInfo) -> tuple[str, str]:
    default = "" if field.default is None else str(field.default)
    default = default.lower() if isinstance(field.default, bool) else default
    # A port that is set must be free; a default port is replaced by another if it is taken.
    mark = "" if default and not name.endswith("_port") else "# "
    allowed = f" ({range_of(field)})" if range_of(field) else ""
    kept = " (run)" if decides(field) else " (reload)" if reloadable(field) else ""
    return f"# {field.description}{allowed}{kept}", f"{mark}{name.upper()}={default}"


if __name__ == "__main__":
    print(env_example(), end="")  # noqa: T201
