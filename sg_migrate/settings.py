"""The settings: ``[sg_migrate]`` in alembic.ini, ``[tool.sg_migrate]`` in pyproject.toml, ``-x sg_KEY=VALUE``."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from sg_migrate.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; docs/settings.md explains them."""

    snapshot: str = "site_schema.json"
    """The snapshot file; relative to the Alembic script folder."""
    source: Literal["snapshot", "live"] = "snapshot"
    """Where autogenerate reads the site's schema."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    naming: Literal["snake", "shotgrid"] = "snake"
    entity_names: Mapping[str, str] = field(default_factory=dict)
    table_prefix: str = ""
    schema: str = ""
    """A PostgreSQL schema for the warehouse."""
    multi_entity: Literal["table", "json"] = "table"
    foreign_keys: bool = False
    track: Literal["all", "structure"] = "all"
    """``structure``: display names and descriptions stay as first built."""
    retire: Literal["keep", "drop"] = "keep"
    catalog: bool = True
    catalog_entity: str = "sg_catalog_entity"
    catalog_field: str = "sg_catalog_field"
    carry_inline_rows: int = 100_000
    lock_timeout: float = 5.0
    """Seconds that a migration waits for a lock before it gives up; 0 waits for ever."""
    drift: Literal["stop", "repair", "ignore"] = "stop"
    accept_retirements: bool = False
    """Lets autogenerate retire more at once than its guard allows; for one run: ``-x sg_accept_retirements=true``."""
    discard: bool = False
    """A downgrade may discard values that were written after a conversion."""

    def shape(self) -> str:
        """The settings that shape the model, as one canonical text; part of the digest a revision carries."""
        names = ("include", "exclude", "naming", "table_prefix", "multi_entity", "foreign_keys", "track", "retire",
                 "catalog", "catalog_entity", "catalog_field")  # fmt: skip
        return repr([(name, getattr(self, name)) for name in names] + sorted(self.entity_names.items()))


def parse(values: Mapping[str, Any], where: str) -> Settings:
    """Settings from raw values: strings as alembic.ini and ``-x`` give them, or TOML's own types.

    Args:
        values: raw values by setting name.
        where: where they come from, for messages.

    Raises:
        SettingsError: a name is unknown or a value is impossible.
    """
    return update(Settings(), values, where)


def update(settings: Settings, values: Mapping[str, Any], where: str) -> Settings:
    """``settings`` with raw values put over them. Raises as `parse` does."""
    hints = get_type_hints(Settings)
    known = {f.name for f in fields(Settings)}
    changed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{where}: no setting is called {name!r}. There are: {', '.join(sorted(known))}.")
        try:
            changed[name] = _convert(hints[name], value)
        except ValueError as error:
            raise SettingsError(f"{where}: {name} = {value!r}: {error}") from None
    result = replace(settings, **changed)
    for name in (result.table_prefix, result.schema, *result.entity_names.values()):
        if name and not _IDENTIFIER.fullmatch(name):
            raise SettingsError(f"{where}: {name!r} is no name for a table; letters, digits and underscores are.")
    return result


def read_settings(ini: Mapping[str, str], folder: Path, overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: pyproject.toml in ``folder``, over it alembic.ini's section, over it ``-x``.

    Args:
        ini: the ``[sg_migrate]`` section of alembic.ini.
        folder: the folder of alembic.ini.
        overrides: values of ``-x sg_KEY=VALUE``, by KEY.
    """
    settings = Settings()
    pyproject = folder / "pyproject.toml"
    if pyproject.is_file():
        try:
            table = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("tool", {}).get("sg_migrate", {})
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{pyproject}: {error}") from None
        settings = update(settings, table, f"{pyproject} [tool.sg_migrate]")
    settings = update(settings, ini, "alembic.ini [sg_migrate]")
    return update(settings, overrides or {}, "-x sg_")


def _convert(hint: Any, value: Any) -> Any:
    """``value`` as the type that the setting has."""
    choices = get_args(hint)
    if hint is bool:
        return _boolean(value)
    if hint in (int, float):
        number = hint(value)
        if number < 0:
            raise ValueError("must not be negative")
        return number
    if hint is str:
        return str(value).strip()
    if choices and all(isinstance(choice, str) for choice in choices):
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value
    if hint == tuple[str, ...]:
        return tuple(value.split() if isinstance(value, str) else map(str, value))
    return dict(_pair(line) for line in value.split()) if isinstance(value, str) else dict(value)


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise ValueError("must be true or false")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} must read EntityType=table_name, without spaces")
    return name, value
