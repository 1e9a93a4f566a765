"""Errors of the settings."""

from __future__ import annotations

from sg_migrate.errors.base import SgMigrateError


class SettingsError(SgMigrateError):
    """A setting is unknown or has an impossible value, or the file with the settings cannot be read."""


class PatternError(SettingsError):
    """A pattern of entity types and fields means nothing."""

    def __init__(self, pattern: str, problem: str) -> None:
        self.pattern = pattern
        super().__init__(f"pattern {pattern!r}: {problem}")


class UnknownNameError(SettingsError):
    """A setting names an entity type, a field or a table that it cannot mean."""

    def __init__(self, setting: str, name: str, problem: str, nearest: str | None = None) -> None:
        self.setting = setting
        self.name = name
        meant = f" Was it {nearest}?" if nearest else ""
        super().__init__(f"The setting {setting} says {name}: {problem}.{meant} Nothing was changed.")


class UnknownSettingError(SettingsError):
    """There is no setting of that name."""

    def __init__(self, where: str, setting: str, nearest: str | None, known: list[str]) -> None:
        self.where = where
        self.setting = setting
        meant = f"Was it {nearest}?" if nearest else f"There are: {', '.join(known)}."
        super().__init__(f"{where}: no setting is called {setting!r}. {meant}")


class ImpossibleSettingError(SettingsError):
    """A setting has a value that it cannot have; ``allowed`` says in words what it can be."""

    def __init__(self, where: str, setting: str, value: object, allowed: str) -> None:
        self.where = where
        self.setting = setting
        self.value = value
        self.allowed = allowed
        shown = repr(value)
        shown = shown if len(shown) <= 100 else f"{shown[:100]} …"
        super().__init__(f"{where}: {setting} = {shown}: must be {allowed}.")


class SchemaChangedError(SettingsError):
    """The setting ``schema`` names another schema than the one the warehouse was built in."""

    def __init__(self, schema: str, built_in: str) -> None:
        self.schema = schema
        self.built_in = built_in
        super().__init__(
            f"schema = {schema!r}: this warehouse is in schema {built_in!r}; nothing was changed. Set schema back, or"
            f" move the warehouse first: CREATE SCHEMA {schema}, then ALTER TABLE ... SET SCHEMA {schema} for each of"
            " its tables, alembic_version among them. A second warehouse beside it begins with an empty alembic_version"
            f" in schema {schema!r}."
        )


class BuiltOtherwiseError(SettingsError):
    """A setting asks for another form of what is built; ``built`` names it."""

    def __init__(self, setting: str, built: str) -> None:
        self.setting = setting
        self.built = built
        super().__init__(
            f"{setting}: {built} of this warehouse are built otherwise, and their values cannot be carried over."
            " Nothing was changed. Set it back; or begin a new warehouse with this setting, in a folder and a database"
            " of its own (sg-migrate init), and load it from the site."
        )


class SameNameError(SettingsError):
    """The settings give two tables one name, compared without case."""

    def __init__(self, name: str, first: str, second: str) -> None:
        self.name = name
        super().__init__(
            f"Two tables would be called {name!r}: {first}, and {second}. Nothing was changed. Give one of them another"
            " name: catalog_entity, catalog_field, entity_names, table_prefix."
        )
