"""One real database held against what the revisions have built: clashes and drift. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from sg_migrate.database.reflection import FoundColumn, FoundTable, Reflection, indexes_of, keys_of
from sg_migrate.errors import ClashError
from sg_migrate.warehouse.comments import UNSETTLED
from sg_migrate.warehouse.state import ColumnState, State, TableState

What: TypeAlias = Literal["table", "column", "type", "nullable", "comment", "index", "foreign key"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what was built and what a database has.

    Attributes:
        what: what differs.
        table: its table.
        name: the column, index or foreign key; empty for the table itself.
        built: what was built: a type, a comment, ...
        found: what the database has; ``None`` where it is missing.
    """

    what: What
    table: str
    name: str = ""
    built: Any = None
    found: Any = None


def check_clashes(connection: sa.Connection, built: State, model: State) -> None:
    """Raise `ClashError` if something that is not ours stands in the database under a name that the model wants."""
    inspector = sa.inspect(connection)
    built_names = {name.lower() for name in built}
    present = {name.lower() for name in _names(inspector)}
    tables = [name for name in model if name.lower() in present - built_names]
    ours = {table.mark.key: table for table in built.values()}
    known = {table.name: ours[table.mark.key] for table in model.values() if table.mark.key in ours}
    grown = {name: old for name, old in known.items() if model[name].columns.keys() - old.columns.keys()}
    found = Reflection(connection).tables([old.name for old in grown.values()], keys=False)
    columns = []
    for name, old in grown.items():
        there = found.get(old.name, FoundTable()).columns
        foreign = {column.lower() for column in there} - {column.lower() for column in old.columns}
        columns += [f"{name}.{column}" for column in model[name].columns if column.lower() in foreign]
    if tables or columns:
        raise ClashError(tables, columns)


def _names(inspector: sa.Inspector) -> list[str]:
    """What stands in the database under a name that no table can have beside it."""
    names = [*inspector.get_table_names(), *inspector.get_view_names()]
    return names + (inspector.get_materialized_view_names() if inspector.dialect.name == "postgresql" else [])


def drift(connection: sa.Connection, built: State) -> list[Drift]:
    """Where the database's owned objects differ from what was built; nothing of anybody else's is looked at."""
    reflection = Reflection(connection)
    tables = reflection.tables(built, keys=any(table.foreign_keys for table in built.values()))
    return [one for name in sorted(built) for one in _of_table(reflection, built[name], tables.get(name))]


def _of_table(reflection: Reflection, table: TableState, found: FoundTable | None) -> Iterator[Drift]:
    if found is None:
        yield Drift("table", table.name)
        yield from (Drift("index", table.name, name, index) for name, index in sorted(indexes_of(table).items()))
        yield from (Drift("foreign key", table.name, name) for name in table.foreign_keys)
        return
    dialect = reflection.connection.dialect
    stored = as_stored(table, dialect.name)
    for name, column in stored.columns.items():
        yield from _of_column(reflection, stored, column, found.columns.get(name))
    if dialect.supports_comments and stored.comment != UNSETTLED and stored.comment != (found.comment or None):
        yield Drift("comment", table.name, "", stored.comment, found.comment)
    for name, index in sorted(indexes_of(table).items()):
        if found.indexes.get(name) != index:
            yield Drift("index", table.name, name, index, found.indexes.get(name))
    for name, key in keys_of(table).items():
        if found.foreign_keys.get(name) != key:
            yield Drift("foreign key", table.name, name, key, found.foreign_keys.get(name))


def _of_column(
    reflection: Reflection, table: TableState, column: ColumnState, found: FoundColumn | None
) -> Iterator[Drift]:
    if found is None:
        yield Drift("column", table.name, column.name)
        return
    if not reflection.is_type(table.name, column.name, found, column.type):
        yield Drift("type", table.name, column.name, column.type, found.type)
    if found.nullable != column.nullable and column.name not in table.primary_key:
        yield Drift("nullable", table.name, column.name, column.nullable, found.nullable)
    settled = reflection.connection.dialect.supports_comments and column.comment != UNSETTLED
    if settled and column.comment != (found.comment or None):
        yield Drift("comment", table.name, column.name, column.comment, found.comment)


def as_stored(table: TableState, dialect: str) -> TableState:
    """``table`` with its comments as the engine keeps them.

    The catalogs of MySQL and MariaDB are in utf8mb3: a character beyond U+FFFF in a comment becomes a question mark.
    """
    if dialect not in ("mysql", "mariadb"):
        return table

    def stored(comment: str | None) -> str | None:
        return comment and "".join(character if character <= "\uffff" else "?" for character in comment)

    columns = {name: replace(column, comment=stored(column.comment)) for name, column in table.columns.items()}
    return replace(table, columns=columns, comment=stored(table.comment))


def describe(one: Drift) -> str:
    """A difference as one line that names both sides."""
    missing = "was built and is missing in the database"
    if one.what == "table":
        return f"table {one.table} {missing}"
    if one.what == "column":
        return f"column {one.table}.{one.name} {missing}"
    if one.what == "index":
        name = f"index {one.name} on {one.table}"
        return f"{name} {missing}" if one.found is None else f"{name} is not as it was built"
    if one.what == "foreign key":
        name = f"foreign key {one.name} of {one.table}"
        return f"{name} is missing in the database" if one.found is None else f"{name} is not as it was built"
    if one.what == "type":
        return f"column {one.table}.{one.name}: built as {one.built!r}, {one.found!r} in the database"
    if one.what == "nullable":
        return f"column {one.table}.{one.name}: built as {'NULL' if one.built else 'NOT NULL'}, not so in the database"
    if not one.name:
        return f"comment of table {one.table}: built {one.built!r}, database {one.found!r}"
    return f"column {one.table}.{one.name}: comment built {one.built!r}, database {one.found!r}"
