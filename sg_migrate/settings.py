"""The settings: ``[sg_migrate]`` in alembic.ini, ``[tool.sg_migrate]`` in pyproject.toml, ``-x sg_KEY=VALUE``."""

from __future__ import annotations

import configparser
import difflib
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

from sg_migrate.errors import ImpossibleSettingError, PatternError, SettingsError, UnknownSettingError
from sg_migrate.site.selection import Selection

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from alembic.config import Config

SECTION = "sg_migrate"
"""Of alembic.ini; in pyproject.toml it is the table ``tool.sg_migrate``."""

Flag = Annotated[bool, Meta(description="true or false")]
Rows = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a whole number of rows, 0 or more")]
Seconds = Annotated[
    # In milliseconds, the largest is the largest number that PostgreSQL takes.
    float, Meta(ge=0, le=2_147_483, description="a number of seconds, from 0 (which waits for ever) to 2147483")
]  # fmt: skip
FileName = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]+\Z", description="the name of a file")]
Patterns = Annotated[tuple[str, ...], Meta(description="entity types and fields, such as Shot Task.sg_*")]
TableName = Annotated[str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,62}\Z",
                                description="a name of at most 63 letters, digits and underscores")]  # fmt: skip
TableNameOrEmpty = Annotated[str, Meta(pattern=r"\A([A-Za-z_][A-Za-z0-9_]{0,62})?\Z",
                                       description="empty, or at most 63 letters, digits and underscores")]  # fmt: skip
TableNames = Annotated[dict[str, TableName], Meta(
    description="pairs EntityType=table_name without spaces; a table's name has at most 63 letters, digits and"
    " underscores")]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; docs/settings.md explains them."""

    snapshot: FileName = "site_schema.json"
    """The snapshot file; relative to the Alembic script folder."""
    source: Literal["snapshot", "live"] = "snapshot"
    """Where autogenerate reads the site's schema."""
    include: Patterns = ()
    exclude: Patterns = ()
    naming: Literal["snake", "shotgrid"] = "snake"
    entity_names: TableNames = field(default_factory=dict)
    table_prefix: TableNameOrEmpty = ""
    schema: TableNameOrEmpty = ""
    """A PostgreSQL schema for the warehouse."""
    multi_entity: Literal["table", "json"] = "table"
    foreign_keys: Flag = False
    track: Literal["all", "structure"] = "all"
    """``structure``: display names and descriptions stay as first built."""
    retire: Literal["keep", "drop"] = "keep"
    catalog: Flag = True
    catalog_entity: TableName = "sg_catalog_entity"
    catalog_field: TableName = "sg_catalog_field"
    carry_inline_rows: Rows = 100_000
    lock_timeout: Seconds = 5.0
    """Seconds that a migration waits for a lock before it gives up; 0 waits for ever."""
    drift: Literal["stop", "repair", "ignore"] = "stop"
    redact: Patterns = ()
    """Entity types and fields whose texts stay out of all that is written or shown, but for the snapshot."""
    load_exclude: Patterns = ()
    """Entity types and fields that have a table or a column, and are not loaded."""
    people: Flag = True
    """Whether events of the site keep and show the names of people who changed it."""
    accept_retirements: Flag = False
    """Lets autogenerate retire more at once than its guard allows; for one run: ``-x sg_accept_retirements=true``."""
    discard: Flag = False
    """A downgrade may discard values that were written after a conversion."""

    def shape(self) -> str:
        """The settings that shape the model, as one canonical text; part of the digest a revision carries."""
        names = ("include", "exclude", "naming", "table_prefix", "multi_entity", "foreign_keys", "track", "retire",
                 "catalog", "catalog_entity", "catalog_field", "redact")  # fmt: skip
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
    types = _types()
    changed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in types:
            raise UnknownSettingError(where, name, nearest(name, types), sorted(types))
        try:
            changed[name] = msgspec.convert(_split(types[name], value), types[name], strict=False)
            if types[name] is Patterns:
                Selection(changed[name])
        except PatternError as error:
            raise SettingsError(f"{where}: {name}: {error}") from None
        except (msgspec.ValidationError, UnicodeEncodeError):  # the second: bytes of a command line that are no text
            raise ImpossibleSettingError(where, name, value, _allowed(types[name])) from None
    return replace(settings, **changed)


@cache
def _types() -> dict[str, Any]:
    """The type of every setting, with its limits."""
    return get_type_hints(Settings, include_extras=True)


def _allowed(type_: Any) -> str:
    """What a setting may be, in words."""
    metadata = getattr(type_, "__metadata__", ())
    return str(metadata[0].description) if metadata else f"one of {', '.join(get_args(type_))}"


_SWITCHES = {"yes": True, "on": True, "no": False, "off": False}
"""Words of ini files that msgspec does not take for true and false."""


def _split(type_: Any, value: Any) -> Any:
    """A text as what it stands for: a list is split at white space, a pair at its equals sign."""
    if not isinstance(value, str):
        return value
    if type_ is Flag:
        return _SWITCHES.get(value.strip().lower(), value.strip())
    if type_ is Patterns:
        return value.split()
    if type_ is TableNames:
        return dict(pair.partition("=")[::2] for pair in value.split())
    return value.strip()


def read_settings(config: Config, overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings in force: pyproject.toml beside alembic.ini, over it alembic.ini's section, over it ``-x``.

    Args:
        config: Alembic's configuration.
        overrides: values of ``-x sg_KEY=VALUE``, by KEY.

    Raises:
        SettingsError: one of the files cannot be read, a setting is unknown, or a value is impossible.
    """
    ini = Path(config.config_file_name).resolve() if config.config_file_name else Path.cwd() / "alembic.ini"
    settings = Settings()
    pyproject = ini.parent / "pyproject.toml"
    if pyproject.is_file():
        settings = update(settings, _read_toml(pyproject), f"{pyproject} [tool.{SECTION}]")
    settings = update(settings, _read_ini(config, ini), f"{ini} [{SECTION}]")
    return update(settings, overrides or {}, "-x sg_...")


class _Tool(msgspec.Struct, frozen=True):
    sg_migrate: dict[str, Any] = {}


class _Pyproject(msgspec.Struct, frozen=True):
    """What of a pyproject.toml is looked at."""

    tool: _Tool = _Tool()


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found = msgspec.convert(document, _Pyproject).tool.sg_migrate
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:  # no UTF-8 and no TOML: ValueError
        raise SettingsError(f"{path}: this cannot be read as TOML: {error}") from None
    _check_sections(document.get("tool", {}), f"{path} [tool.", "]")
    return found


def _read_ini(config: Config, path: Path) -> dict[str, str]:
    """Our section of alembic.ini; reads Alembic's own as well, whose mistakes nobody else would name."""
    try:
        config.get_section(config.config_ini_section, {})
        section = config.get_section(SECTION, {})
        defaults = config.file_config.defaults()  # Alembic puts "here" into every section
    except (configparser.Error, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}{_ini_problem(error)}") from None
    _check_sections(config.file_config.sections(), f"{path} [", "]")
    return {name: value for name, value in section.items() if name not in defaults}


def _check_sections(sections: Iterable[str], before: str, after: str) -> None:
    """Raise `SettingsError` for a section that is meant to be ours and is not: its settings would count for nothing."""
    for name in sections:
        if name != SECTION and re.sub(r"[\W_]", "", name).lower() == "sgmigrate":
            ours = f"[{before.rpartition('[')[2]}{SECTION}{after}"
            raise SettingsError(f"{before}{name}{after}: the settings of sg_migrate are in {ours}.")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that somebody meant who wrote another one; ``None`` where none is near."""
    lower = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def _ini_problem(error: configparser.Error | UnicodeDecodeError) -> str:
    """Where in the file and what, without a value: one of them may be a password."""
    if isinstance(error, configparser.InterpolationError):
        return f" [{error.section}] {error.option}: a % must be written as %%."
    if isinstance(error, configparser.DuplicateOptionError):
        return f", line {error.lineno}: {error.option} is set a second time in [{error.section}]."
    if isinstance(error, configparser.DuplicateSectionError):
        return f", line {error.lineno}: there is a second section [{error.section}]."
    if isinstance(error, configparser.MissingSectionHeaderError):
        return f", line {error.lineno}: no [section] has begun yet."
    if isinstance(error, configparser.ParsingError):
        return f", line {error.errors[0][0]}: this reads neither KEY = VALUE nor [section]."
    return f": it cannot be read: {error}"
