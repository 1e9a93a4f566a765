"""Which of several states of our tables a database is in: only what differs between the states is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from alembic.runtime.migration import MigrationContext

from sg_migrate.database.drift import as_stored
from sg_migrate.database.reflection import FoundTable, Reflection, indexes_of, keys_of
from sg_migrate.warehouse.state import State, TableState

Facts: TypeAlias = "dict[tuple[str, ...], Any]"
"""What can be told of a table: ``("column", name)``, ``("type", name)``, ``("comment", name)``, ..."""


def facts_built(table: TableState | None, dialect: str) -> Facts:
    """All that can be told of a table as built, as the engine keeps it; nothing of one that is not there."""
    if table is None:
        return {}
    stored = as_stored(table, dialect)
    told: Facts = {("table",): True, ("comment",): stored.comment or None}
    for name, column in stored.columns.items():
        told["column", name] = True
        told["type", name] = column.type_text
        told["comment", name] = column.comment or None
    told |= {("index", name): index for name, index in indexes_of(stored).items()}
    told |= {("foreign key", name): key for name, key in keys_of(stored).items()}
    return told


def facts_found(table: FoundTable | None) -> Facts:
    """The same of a table as a database has it; types are compared elsewhere."""
    if table is None:
        return {}
    told: Facts = {("table",): True, ("comment",): table.comment or None}
    for name, column in table.columns.items():
        told["column", name] = True
        told["comment", name] = column.comment or None
    told |= {("index", name): index for name, index in table.indexes.items()}
    told |= {("foreign key", name): key for name, key in table.foreign_keys.items()}
    return told


class Reflected:
    """The tables of a database, each read once.

    Args:
        context: with a connection.
    """

    def __init__(self, context: MigrationContext) -> None:
        assert context.connection is not None
        self.context = context
        self._reflection = Reflection(context.connection)
        self._tables: dict[str, FoundTable | None] = {}

    def read(self, names: set[str]) -> None:
        """Read tables that were not read yet."""
        new = names - self._tables.keys()
        found = self._reflection.tables(new) if new else {}
        self._tables |= {name: found.get(name) for name in new}

    def is_like(self, name: str, table: TableState | None, telling: set[tuple[str, ...]]) -> bool:
        """Whether a table is as built, as far as the facts in ``telling`` go."""
        here = self._tables[name]
        found, built = facts_found(here), facts_built(table, self.context.dialect.name)
        return all(
            self._same_type(name, key[1], here, table) if key[0] == "type" else found.get(key) == built.get(key)
            for key in telling
        )

    def _same_type(self, name: str, column: str, here: FoundTable | None, table: TableState | None) -> bool:
        found = here.columns.get(column) if here else None
        built = table.columns.get(column) if table else None
        if found is None or built is None:
            return (found is None) == (built is None)
        return self._reflection.is_type(name, column, found, built.type)


def matching(db: Reflected, states: Sequence[State]) -> list[int]:
    """The last run of indexes into ``states`` that the database agrees with; empty when it agrees with none."""
    names = {name for state in states for name, table in state.items() if states[0].get(name) is not table}
    names |= {name for name in states[0] if any(name not in state for state in states)}
    db.read(names)
    dialect = db.context.dialect.name
    like: dict[tuple[str, int], bool] = {}
    for name in names:
        versions = {id(state.get(name)): state.get(name) for state in states}
        told = [facts_built(version, dialect) for version in versions.values()]
        keys = set().union(*told)
        telling = {key for key in keys if any(one.get(key) != told[0].get(key) for one in told)}
        like |= {(name, key): db.is_like(name, version, telling) for key, version in versions.items()}
    agreeing = [i for i, state in enumerate(states) if all(like[name, id(state.get(name))] for name in names)]
    while agreeing and agreeing[-1] - agreeing[0] >= len(agreeing):
        agreeing.pop(0)
    return agreeing
