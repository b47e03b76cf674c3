"""The base of a group of settings, and the declaration of one setting."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Group(BaseModel):
    """Settings of one topic. The environment variable of a setting is its name in upper case, without the group's."""

    # Only the validator of all groups is built: that of each group alone would make every command start slower.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, defer_build=True)


def setting(default: Any, description: str, *, decides: bool, reloadable: bool = False) -> Any:
    """Declare a setting.

    Args:
        default: the value without a variable; None for none.
        description: the meaning, with the unit where the name has none.
        decides: whether the decisions of strategies depend on the value. A run keeps it, also after a restart; with
            another value `memesnipe up` begins another run.
        reloadable: whether a running system takes over a new value from `.env`; never of a setting that decides.
    """
    assert not (decides and reloadable)  # noqa: S101 - a fault of the declaration
    return Field(default, description=description, json_schema_extra={"decides": decides, "reloadable": reloadable})


def decides(field: FieldInfo) -> bool:
    """Return whether the decisions of strategies depend on a setting."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra["decides"] is True


def reloadable(field: FieldInfo) -> bool:
    """Return whether a running system takes over a new value of a setting."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and extra["reloadable"] is True
