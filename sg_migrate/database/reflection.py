"""What a database really has, of the tables that are asked for: read in a few queries, compared with what was built."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy.types import TypeEngine

from sg_migrate.warehouse.state import TableState, type_key


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column of a database; ``declared`` is SQLite's own text for the type, empty elsewhere."""

    type: TypeEngine[Any]
    nullable: bool
    comment: str | None
    declared: str = ""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of a database: columns, and indexes as name -> columns; an expression in an index is ``None``."""

    comment: str | None = None
    columns: Mapping[str, FoundColumn] = field(default_factory=dict)
    indexes: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    foreign_keys: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Name -> columns, referred table."""


class Reflection:
    """The tables of one database.

    Args:
        context: with a connection.
    """

    def __init__(self, context: MigrationContext) -> None:
        assert context.connection is not None
        self.context = context
        self.connection = context.connection
        self._same: dict[Any, bool] = {}

    @cached_property
    def inspector(self) -> sa.Inspector:
        """SQLAlchemy's own, for what is asked of single tables."""
        return sa.inspect(self.connection)

    def tables(self, names: Collection[str], with_keys: Collection[str] = ()) -> dict[str, FoundTable]:
        """Those of the tables that are there.

        Args:
            names: the tables' names.
            with_keys: the tables whose foreign keys are asked for; SQLite tells their names table by table.
        """
        if self.connection.dialect.name == "sqlite":
            return self._sqlite(set(names), with_keys)
        inspector, wanted = self.inspector, list(names)
        found = _by_name(inspector.get_multi_columns(filter_names=wanted))
        indexes = _by_name(inspector.get_multi_indexes(filter_names=wanted))
        comments = _by_name(inspector.get_multi_table_comment(filter_names=wanted))
        keys = _by_name(inspector.get_multi_foreign_keys(filter_names=list(with_keys))) if with_keys else {}
        return {
            name: FoundTable(
                comments.get(name, {}).get("text"),
                {c["name"]: FoundColumn(c["type"], bool(c["nullable"]), c.get("comment")) for c in columns},
                {str(i["name"]): tuple(i["column_names"]) for i in indexes.get(name, ())},
                _keys(keys.get(name, ())),
            )
            for name, columns in found.items()
            if name in set(names)
        }

    def _sqlite(self, names: set[str], with_keys: Collection[str]) -> dict[str, FoundTable]:
        """Two queries for everything: pragma functions joined to the list of tables."""
        columns: dict[str, dict[str, FoundColumn]] = {}
        for table, column, declared, not_null in self.connection.exec_driver_sql(_SQLITE_COLUMNS):
            if table in names:
                found = FoundColumn(sa.types.NULLTYPE, not not_null, None, declared or "")
                columns.setdefault(table, {})[column] = found
        indexes: dict[str, dict[str, tuple[str | None, ...]]] = {}
        for table, index, column in self.connection.exec_driver_sql(_SQLITE_INDEXES):
            if table in names:
                of_table = indexes.setdefault(table, {})
                of_table[index] = (*of_table.get(index, ()), column)
        return {
            name: FoundTable(None, of, indexes.get(name, {}), self._keys_of(name) if name in with_keys else {})
            for name, of in columns.items()
        }

    def _keys_of(self, table: str) -> dict[str, tuple[tuple[str, ...], str]]:
        return _keys(self.inspector.get_foreign_keys(table))

    def is_type(self, table: str, column: str, found: FoundColumn, built: TypeEngine[Any]) -> bool:
        """Whether a column has the type that was built, as far as this engine tells types apart."""
        key = (found.declared or type_key(found.type), type_key(built))
        if key not in self._same:
            self._same[key] = self._is_type(table, column, found, built)
        return self._same[key]

    def _is_type(self, table: str, column: str, found: FoundColumn, built: TypeEngine[Any]) -> bool:
        dialect = self.context.dialect
        if found.declared:
            if found.declared.lower() == built.compile(dialect=dialect).lower():
                return True
            (type_,) = [c["type"] for c in self.inspector.get_columns(table) if c["name"] == column]
        else:
            type_ = found.type
        kinds = (sa.Double, sa.Double | sa.Float), (sa.DateTime, sa.DateTime)
        if any(isinstance(built, kind) and isinstance(type_, db_kind) for kind, db_kind in kinds) and (
            built.compile(dialect=dialect) != type_.compile(dialect=dialect)
        ):
            return False  # precision, which Alembic's comparison overlooks: real, DATETIME without (6)
        return not self.context.impl.compare_type(sa.Column("c", type_), sa.Column("c", built))


_SQLITE_COLUMNS = """
    SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_master m, pragma_table_xinfo(m.name) c
    WHERE m.type = 'table' ORDER BY m.name, c.cid"""
_SQLITE_INDEXES = """
    SELECT i.tbl_name, i.name, c.name FROM sqlite_master i, pragma_index_info(i.name) c
    WHERE i.type = 'index' AND i.sql IS NOT NULL ORDER BY i.name, c.seqno"""


def _by_name(found: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: item for (_, name), item in found.items()}


def _keys(found: Iterable[Any]) -> dict[str, tuple[tuple[str, ...], str]]:
    return {str(key["name"]): (tuple(key["constrained_columns"]), key["referred_table"]) for key in found}


def keys_of(table: TableState) -> dict[str, tuple[tuple[str, ...], str]]:
    """The foreign keys of a built table in the form of `FoundTable`."""
    return {name: (key.columns, key.referred_table) for name, key in table.foreign_keys.items()}
