"""Tables as values: one form for what the model wants and for what the revisions have built.

SQLAlchemy's ``MetaData`` is what Alembic takes and what users see; comparing, renaming and folding want values.
Each table and column carries a `Mark`, the short form of the site's field it stands for, in ``info["sg"]``:
that is how a revision says what it builds without needing sg_migrate to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.site.schema import Field

RETIRED = "[retired] "


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """What of the site a table or column stands for.

    ``role`` tells several columns of one field apart (``id`` and ``type`` of a link). ``was`` marks the column or
    table that keeps a field's values from before its type changed.
    """

    entity_type: str
    field: str = ""
    data_type: str = ""
    role: str = ""
    was: bool = False

    def __str__(self) -> str:
        subject = f"{self.entity_type}.{self.field}" if self.field else self.entity_type
        return " ".join(word for word in (subject, self.data_type, self.role, "was" if self.was else "") if word)

    @classmethod
    def parse(cls, text: str) -> Mark:
        """The mark that ``str()`` wrote as ``text``. Raises ``ValueError`` for anything else."""
        subject, *words = text.split(" ")
        entity_type, _, code = subject.partition(".")
        was = bool(words) and words[-1] == "was"
        data_type, role = [*words[: len(words) - was], "", ""][:2]
        mark = cls(entity_type, code, data_type, role, was)
        if not entity_type or str(mark) != text:
            raise ValueError(f"not a mark of sg_migrate: {text!r}")
        return mark

    def as_former(self) -> Mark:
        """The mark of the column or table that keeps the values from before the type changed."""
        return replace(self, was=True)

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same while the field's type changes."""
        return (self.entity_type, self.field, self.role)


def mark_for(site_field: Field, role: str = "") -> Mark:
    """The mark of a field's column; a data type that is no plain word is made one."""
    return Mark(site_field.entity_type, site_field.code, re.sub(r"\W", "_", site_field.data_type), role)


CATALOG = "sg_catalog"
"""In place of an entity type in the marks of the catalog's two tables."""


def mark_of(item: sa.Table | sa.Column[Any]) -> Mark | None:
    """The mark in ``info["sg"]``, or ``None`` where there is none: the object is not ours."""
    text = item.info.get("sg")
    if not isinstance(text, str):
        return None
    return Mark.parse(text)


def type_text(type_: TypeEngine[Any]) -> str:
    """A type as text, equal exactly for equal portable types, variants included."""
    base = repr(type_)
    variants = getattr(type_, "_variant_mapping", {})
    return base + "".join(f" {dialect}={variants[dialect]!r}" for dialect in sorted(variants))


@dataclass(frozen=True, slots=True)
class ColumnState:
    """A column; two are equal when their names, types, comments and marks are."""

    name: str
    type: TypeEngine[Any] = field(compare=False)
    mark: Mark
    comment: str | None = None
    nullable: bool = True
    type_text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type_text", type_text(self.type))

    @property
    def retired(self) -> bool:
        """Whether it is only kept: the site has it no longer, or with another type."""
        return bool(self.comment and self.comment.startswith(RETIRED.strip())) or self.mark.was

    def to_column(self) -> sa.Column[Any]:
        """A new SQLAlchemy column."""
        return sa.Column(
            self.name,
            self.type,
            nullable=self.nullable,
            autoincrement=False if self.name == "id" and not self.nullable else "auto",
            comment=self.comment,
            info={"sg": str(self.mark)},
        )


@dataclass(frozen=True, slots=True)
class ForeignKeyState:
    """A named foreign key."""

    name: str
    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableState:
    """A table: columns by name in their order, indexes as name -> column names, foreign keys by name."""

    name: str
    mark: Mark
    columns: Mapping[str, ColumnState]
    primary_key: tuple[str, ...] = ("id",)
    comment: str | None = None
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    foreign_keys: Mapping[str, ForeignKeyState] = field(default_factory=dict)

    @property
    def retired(self) -> bool:
        """Whether it is only kept: the site has it no longer, or with another type."""
        return bool(self.comment and self.comment.startswith(RETIRED.strip())) or self.mark.was


State: TypeAlias = Mapping[str, TableState]
"""Tables by name."""


def state_of_column(column: sa.Column[Any], mark: Mark) -> ColumnState:
    """The state of a SQLAlchemy column that carries ``mark``."""
    return ColumnState(column.name, column.type, mark, column.comment, bool(column.nullable))


def state_of_table(table: sa.Table) -> TableState | None:
    """The state of a SQLAlchemy table, or ``None`` when the table carries no mark. Unmarked columns are left out."""
    mark = mark_of(table)
    if mark is None:
        return None
    columns = {}
    for column in table.columns:
        column_mark = mark_of(column)
        if column_mark is not None:
            columns[column.name] = state_of_column(column, column_mark)
    return TableState(
        name=table.name,
        mark=mark,
        columns=columns,
        primary_key=tuple(column.name for column in table.primary_key.columns),
        comment=table.comment,
        indexes={str(i.name): tuple(c.name for c in i.columns) for i in table.indexes},
        foreign_keys={
            str(fk.name): ForeignKeyState(
                str(fk.name), tuple(fk.column_keys), fk.elements[0].target_fullname.split(".")[0],
                tuple(element.target_fullname.rsplit(".", 1)[1] for element in fk.elements),
            )
            for fk in table.foreign_key_constraints
        },
    )  # fmt: skip


_OPTIONS: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
"""Of every table: on MySQL and MariaDB a table is otherwise in its database's character set, perhaps latin1."""


def to_metadata(state: State, info: Mapping[str, Any] | None = None) -> sa.MetaData:
    """A fresh ``MetaData`` of these tables.

    Args:
        state: the tables.
        info: objects for ``.info["shotgrid"]``, by ``str(mark)`` without type and role (``Shot.sg_cut_in``).
    """
    info = info or {}
    metadata = sa.MetaData()
    for table in state.values():
        columns = [column.to_column() for column in table.columns.values()]
        for column, column_state in zip(columns, table.columns.values(), strict=True):
            _add_source(column.info, column_state.mark, info)
        sa_table = sa.Table(
            table.name,
            metadata,
            *columns,
            sa.PrimaryKeyConstraint(*table.primary_key),
            *(
                sa.ForeignKeyConstraint(
                    fk.columns,
                    [f"{fk.referred_table}.{name}" for name in fk.referred_columns],
                    name=fk.name,
                    use_alter=True,  # entity types refer to each other in circles
                )
                for fk in table.foreign_keys.values()
            ),
            comment=table.comment,
            info={"sg": str(table.mark)},
            **_OPTIONS,
        )
        _add_source(sa_table.info, table.mark, info)
        for name, column_names in table.indexes.items():
            sa.Index(name, *(sa_table.columns[column_name] for column_name in column_names))
    return metadata


def _add_source(target: dict[Any, Any], mark: Mark, info: Mapping[str, Any]) -> None:
    source = info.get(f"{mark.entity_type}.{mark.field}" if mark.field else mark.entity_type)
    if source is not None:
        target["shotgrid"] = source
