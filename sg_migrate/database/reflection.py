"""What a database really has, of the tables that are asked for: read in a few queries, compared with what was built."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from alembic.ddl.impl import DefaultImpl
from alembic.runtime.migration import MigrationContext
from sqlalchemy.types import TypeEngine

from sg_migrate.alembic_log import quiet
from sg_migrate.database.sqlite import ForeignKey, foreign_keys, on_delete
from sg_migrate.warehouse.state import TableState, type_key


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column of a database; ``type`` is text where the engine tells it as text, which is faster read."""

    type: TypeEngine[Any] | str
    nullable: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index; an expression in it is ``None``."""

    columns: tuple[str | None, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of a database: columns, indexes and foreign keys by name."""

    comment: str | None = None
    columns: Mapping[str, FoundColumn] = field(default_factory=dict)
    indexes: Mapping[str, FoundIndex] = field(default_factory=dict)
    foreign_keys: Mapping[str, ForeignKey] = field(default_factory=dict)


class Reflection:
    """The tables of one database, all of them read in a handful of queries."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._same: dict[Any, bool] = {}

    @cached_property
    def _inspector(self) -> sa.Inspector:
        return sa.inspect(self.connection)

    @cached_property
    def _impl(self) -> DefaultImpl:
        with quiet():
            return MigrationContext.configure(self.connection).impl

    def tables(self, names: Collection[str] | None = None, *, keys: bool = True) -> dict[str, FoundTable]:
        """Those of the tables that are there.

        Args:
            names: the tables' names; all tables when left out.
            keys: whether foreign keys are asked for.
        """
        readers = {"sqlite": self._sqlite, "postgresql": self._postgresql}
        reader = readers.get(self.connection.dialect.name, self._mysql)
        found = reader(keys)
        return found if names is None else {name: found[name] for name in names if name in found}

    def _postgresql(self, keys: bool) -> dict[str, FoundTable]:
        """The catalogs; SQLAlchemy's own queries take longer to be put together than to run."""
        foreign = _keys(self._rows(_POSTGRESQL_KEYS)) if keys else {}
        comments: dict[str, str | None] = dict(self._rows(_POSTGRESQL_COMMENTS))
        return _put_together(comments, self._rows(_POSTGRESQL_COLUMNS), self._rows(_POSTGRESQL_INDEXES), foreign)

    def _sqlite(self, keys: bool) -> dict[str, FoundTable]:
        """Pragma functions joined to the list of tables; names of foreign keys are in the statements only."""
        statements = self._rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        foreign = {table: foreign_keys(sql) for table, sql in statements} if keys else {}
        comments = {table: None for table, _ in statements}
        return _put_together(comments, self._rows(_SQLITE_COLUMNS), self._rows(_SQLITE_INDEXES), foreign)

    def _mysql(self, keys: bool) -> dict[str, FoundTable]:
        """The information schema; SQLAlchemy asks for each table's own statement."""
        foreign = _keys(self._rows(_MYSQL_KEYS)) if keys else {}
        comments: dict[str, str | None] = dict(self._rows(_MYSQL_COMMENTS))
        return _put_together(comments, self._rows(_MYSQL_COLUMNS), self._rows(_MYSQL_INDEXES), foreign)

    def _rows(self, query: str) -> Sequence[Any]:
        return self.connection.exec_driver_sql(query).all()

    def is_type(self, table: str, column: str, found: FoundColumn, built: TypeEngine[Any]) -> bool:
        """Whether a column has the type that was built, as far as this engine tells types apart."""
        key = (found.type if isinstance(found.type, str) else type_key(found.type), type_key(built))
        if key not in self._same:
            self._same[key] = self._is_type(table, column, found, built)
        return self._same[key]

    def _is_type(self, table: str, column: str, found: FoundColumn, built: TypeEngine[Any]) -> bool:
        dialect, type_ = self.connection.dialect, found.type
        if isinstance(type_, str):
            if _spelt_alike(type_) == _spelt_alike(built.compile(dialect=dialect)):
                return True
            (type_,) = [c["type"] for c in self._inspector.get_columns(table) if c["name"] == column]
        kinds = (sa.Double, sa.Double | sa.Float), (sa.DateTime, sa.DateTime)
        if any(isinstance(built, kind) and isinstance(type_, db_kind) for kind, db_kind in kinds) and (
            built.compile(dialect=dialect) != type_.compile(dialect=dialect)
        ):
            return False  # precision, which Alembic's comparison overlooks: real, DATETIME without (6)
        return not self._impl.compare_type(sa.Column("c", type_), sa.Column("c", built))


def _spelt_alike(type_text: str) -> str:
    """A type as text, in one spelling of what PostgreSQL and SQLAlchemy spell in two."""
    return type_text.lower().replace("character varying", "varchar").replace(", ", ",")


_SQLITE_COLUMNS = """
    SELECT m.name, c.name, c.type, NOT c."notnull", NULL FROM sqlite_master m, pragma_table_xinfo(m.name) c
    WHERE m.type = 'table' ORDER BY m.name, c.cid"""
_SQLITE_INDEXES = """
    SELECT m.name, i.name, c.name, i."unique"
    FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
    WHERE m.type = 'table' AND i.origin = 'c' ORDER BY i.name, c.seqno"""
_POSTGRESQL_COMMENTS = """
    SELECT t.relname, obj_description(t.oid, 'pg_class') FROM pg_class t
    WHERE t.relkind IN ('r', 'p') AND t.relnamespace = to_regnamespace(quote_ident(current_schema()))"""
_POSTGRESQL_COLUMNS = """
    SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           col_description(a.attrelid, a.attnum)
    FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
    WHERE t.relkind IN ('r', 'p') AND t.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND a.attnum > 0 AND NOT a.attisdropped ORDER BY t.relname, a.attnum"""
_POSTGRESQL_INDEXES = """
    SELECT t.relname, i.relname, a.attname, x.indisunique
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    CROSS JOIN unnest(x.indkey) WITH ORDINALITY k (number, place)
    LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
    WHERE t.relkind IN ('r', 'p') AND t.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND NOT x.indisprimary AND k.place <= x.indnkeyatts ORDER BY i.relname, k.place"""
_POSTGRESQL_KEYS = """
    SELECT t.relname, f.conname, a.attname, r.relname, b.attname,
           CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' END
    FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class r ON r.oid = f.confrelid
    CROSS JOIN unnest(f.conkey, f.confkey) WITH ORDINALITY k (own, referred, place)
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.own
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.referred
    WHERE t.relkind IN ('r', 'p') AND t.relnamespace = to_regnamespace(quote_ident(current_schema()))
      AND f.contype = 'f' ORDER BY t.relname, f.conname, k.place"""
_MYSQL_COMMENTS = """
    SELECT table_name, table_comment FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"""
_MYSQL_COLUMNS = """
    SELECT table_name, column_name, column_type, is_nullable = 'YES', column_comment FROM information_schema.columns
    WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""
_MYSQL_INDEXES = """
    SELECT table_name, index_name, column_name, non_unique = 0 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY' ORDER BY table_name, index_name, seq_in_index"""
_MYSQL_KEYS = """
    SELECT u.table_name, u.constraint_name, u.column_name,
           u.referenced_table_name, u.referenced_column_name, r.delete_rule
    FROM information_schema.key_column_usage u JOIN information_schema.referential_constraints r
      ON (r.constraint_schema, r.table_name, r.constraint_name) = (u.table_schema, u.table_name, u.constraint_name)
    WHERE u.table_schema = DATABASE() ORDER BY u.table_name, u.constraint_name, u.ordinal_position"""


def _put_together(
    comments: Mapping[str, str | None],
    columns: Iterable[Any],
    indexes: Iterable[Any],
    keys: Mapping[str, Mapping[str, ForeignKey]],
) -> dict[str, FoundTable]:
    """The tables that have a comment, if only an empty one, out of rows that begin with a table's name."""
    columns_of: dict[str, dict[str, FoundColumn]] = {}
    for table, name, type_, nullable, comment in columns:
        columns_of.setdefault(table, {})[name] = FoundColumn(type_ or "", bool(nullable), comment)
    found: dict[str, dict[str, FoundIndex]] = {}
    for table, name, column, unique in indexes:
        of_table = found.setdefault(table, {})
        before = of_table[name].columns if name in of_table else ()
        of_table[name] = FoundIndex((*before, column), bool(unique))
    return {
        name: FoundTable(comment, columns_of.get(name, {}), found.get(name, {}), keys.get(name, {}))
        for name, comment in comments.items()
    }


def _keys(rows: Iterable[Any]) -> dict[str, dict[str, ForeignKey]]:
    """The foreign keys of each table out of rows, one for each column of a key."""
    found: dict[str, dict[str, ForeignKey]] = {}
    for table, name, column, referred_table, referred, rule in rows:
        of_table = found.setdefault(table, {})
        key = of_table.get(name) or ForeignKey((), referred_table, (), on_delete(rule))
        columns, referred_columns = (*key.columns, column), (*key.referred_columns, referred)
        of_table[name] = replace(key, columns=columns, referred_columns=referred_columns)
    return found


def keys_of(table: TableState) -> dict[str, ForeignKey]:
    """The foreign keys of a built table in the form of `FoundTable`."""
    return {
        name: ForeignKey(key.columns, key.referred_table, key.referred_columns)
        for name, key in table.foreign_keys.items()
    }


def indexes_of(table: TableState) -> dict[str, FoundIndex]:
    """The indexes of a built table in the form of `FoundTable`: none is unique."""
    return {name: FoundIndex(tuple(columns), unique=False) for name, columns in table.indexes.items()}
