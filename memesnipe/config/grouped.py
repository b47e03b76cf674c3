"""The base of settings in groups, whose environment variables have flat names.

Environment variables, `.env`, `settings.json` and the stored settings of a run all have the flat name of a setting: its
field's name, which is unique across the groups, in upper case for variables.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Self

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from memesnipe.config.env_file import nearest
from memesnipe.config.group import Group, decides
from memesnipe.errors import SettingsError


class GroupedSettings(BaseSettings):
    """Settings whose every field is a group of settings."""

    @classmethod
    @cache
    def groups(cls) -> dict[str, type[Group]]:
        """Return the groups by the name of their field."""
        found = {name: field.annotation for name, field in cls.model_fields.items()}
        return {name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, Group)}

    @classmethod
    @cache
    def group_of(cls) -> dict[str, str]:
        """Return the group of every setting, by the setting's name."""
        return {name: group for group, kind in cls.groups().items() for name in kind.model_fields}

    @classmethod
    @cache
    def fields(cls) -> dict[str, FieldInfo]:
        """Return every setting by its name."""
        return {name: cls.groups()[group].model_fields[name] for name, group in cls.group_of().items()}

    @classmethod
    def grouped(cls, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return values by group and name; a group without values is empty.

        Args:
            values: by the names of the settings.

        Raises:
            SettingsError: there is no setting of such a name.
        """
        result: dict[str, dict[str, Any]] = {group: {} for group in cls.groups()}
        for name, value in values.items():
            group = cls.group_of().get(name)
            if group is None:
                raise SettingsError(f"there is no setting {name}; the nearest is {nearest(name, cls.group_of())}")
            result[group][name] = value
        return result

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class passes it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the highest precedence first: arguments, environment, `.env`."""
        return init_settings, _Grouping(cls, env_settings), _Grouping(cls, dotenv_settings)

    @property
    def flat(self) -> dict[str, Any]:
        """Return the value of every setting, by its name."""
        return {name: getattr(getattr(self, group), name) for name, group in self.group_of().items()}

    @property
    def given(self) -> set[str]:
        """Return the names of the settings that a source sets, even to the default."""
        return {name for group in self.groups() for name in getattr(self, group).model_fields_set}

    @property
    def deciding(self) -> dict[str, Any]:
        """Return the settings that a run keeps, by their names."""
        fields = self.fields()
        return {name: value for name, value in self.flat.items() if decides(fields[name])}

    def changed(self, **values: Any) -> Self:
        """Return a copy with other values, which are not validated.

        Raises:
            SettingsError: there is no setting of such a name.
        """
        new = {
            name: getattr(self, name).model_copy(update=update)
            for name, update in self.grouped(values).items()
            if update
        }
        return self.model_copy(update=new)


class _Grouping(PydanticBaseSettingsSource):
    """The settings among the flat variables of another source, by group."""

    def __init__(self, settings: type[GroupedSettings], flat: PydanticBaseSettingsSource) -> None:
        super().__init__(settings)
        self._settings, self._flat = settings, flat

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the other source's value of a field; the base class requires this method, but nothing calls it."""
        return self._flat.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return the values by group and name."""
        variables = self._flat.env_vars if isinstance(self._flat, EnvSettingsSource) else {}
        known = self._settings.group_of()
        return self._settings.grouped({n: value for n, value in variables.items() if n in known and value is not None})
