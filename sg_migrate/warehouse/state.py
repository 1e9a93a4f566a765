"""Tables as values: one form for what the model wants and for what the revisions have built.

SQLAlchemy's ``MetaData`` is what Alembic takes and what users see; comparing, renaming and folding want values.
Each table and column carries a `Mark`: what of the site it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from sg_migrate.alembic_private import variants_of
from sg_migrate.warehouse.mark import Mark, mark_of


def type_text(type_: TypeEngine[Any]) -> str:
    """A type as text, equal exactly for equal portable types, variants included."""
    key = type_key(type_)
    found = _TEXTS.get(key)
    if found is None:
        variants = sorted(variants_of(type_).items())
        found = _TEXTS[key] = repr(type_) + "".join(f" {dialect}={variant!r}" for dialect, variant in variants)
    return found


_TEXTS: dict[Any, str] = {}
"""Types by what they are made of; ``repr`` takes its time, and a site has thousands of columns of a dozen types."""


_KEYS: WeakKeyDictionary[TypeEngine[Any], Any] = WeakKeyDictionary()


def type_key(type_: TypeEngine[Any]) -> Any:
    """What a type is made of, as a key for a dictionary: its class, plain attributes, and variants.

    A type with other attributes (an enumeration's values) is only equal to itself.
    """
    key = _KEYS.get(type_)
    if key is None:
        key = _KEYS[type_] = _key(type_)
    return key


def _key(type_: TypeEngine[Any]) -> Any:
    plain = []
    for name, value in vars(type_).items():
        if value is None or isinstance(value, (bool, int, str)):
            plain.append((name, value))
        elif isinstance(value, (list, tuple, set, dict)) and name != "_variant_mapping" and value:
            return type_
    variants = tuple((dialect, type_key(variant)) for dialect, variant in variants_of(type_).items())
    return (type_.__class__, tuple(plain), variants)


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

    def with_column(self, column: ColumnState, replaced: str | None = None) -> TableState:
        """The table with ``column``: as its last one, or in the place of ``replaced``, in keys and indexes too."""
        if replaced is None:
            return replace(self, columns={**self.columns, column.name: column})

        def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(column.name if name == replaced else name for name in names)

        columns = {column.name if name == replaced else name: column if name == replaced else other
                   for name, other in self.columns.items()}  # fmt: skip
        if column.name == replaced:
            return replace(self, columns=columns)
        return replace(
            self,
            columns=columns,
            primary_key=renamed(self.primary_key),
            indexes={name: renamed(of) for name, of in self.indexes.items()},
            foreign_keys={name: replace(key, columns=renamed(key.columns)) for name, key in self.foreign_keys.items()},
        )

    def without_column(self, name: str) -> TableState:
        """The table without a column, and without the indexes and foreign keys that need it."""
        return replace(
            self,
            columns={other: column for other, column in self.columns.items() if other != name},
            indexes={index: of for index, of in self.indexes.items() if name not in of},
            foreign_keys={fk: key for fk, key in self.foreign_keys.items() if name not in key.columns},
        )


State: TypeAlias = Mapping[str, TableState]
"""Tables by name."""


def state_of_column(column: sa.Column[Any], mark: Mark, *, in_key: bool = False) -> ColumnState:
    """The state of a SQLAlchemy column that carries ``mark``; one ``in_key`` of its table is never NULL."""
    return ColumnState(column.name, column.type, mark, column.comment, bool(column.nullable) and not in_key)


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


TABLE_OPTIONS: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
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
            **TABLE_OPTIONS,
        )
        _add_source(sa_table.info, table.mark, info)
        for name, column_names in table.indexes.items():
            sa.Index(name, *(sa_table.columns[column_name] for column_name in column_names))
    return metadata


def _add_source(target: dict[Any, Any], mark: Mark, info: Mapping[str, Any]) -> None:
    source = info.get(f"{mark.entity_type}.{mark.field}" if mark.field else mark.entity_type)
    if source is not None:
        target["shotgrid"] = source
