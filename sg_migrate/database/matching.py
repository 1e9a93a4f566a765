"""Which of several states of our tables a database is in: only what differs between the states is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from sqlalchemy.types import TypeEngine

from sg_migrate.database.drift import as_stored
from sg_migrate.warehouse.state import State, TableState

Aspects: TypeAlias = "dict[tuple[str, ...], Any]"
"""What can be told of a table: ``("column", name)``, ``("type", name)``, ``("comment", name)``, ..."""


def aspects(table: TableState | None, dialect: str) -> Aspects:
    """All that can be told of a table as built, as the engine keeps it; nothing of one that is not there."""
    if table is None:
        return {}
    stored = as_stored(table, dialect)
    found: Aspects = {("table",): True, ("comment",): stored.comment or None}
    for name, column in stored.columns.items():
        found["column", name] = True
        found["type", name] = column.type_text
        found["comment", name] = column.comment or None
    found |= {("index", name): tuple(columns) for name, columns in stored.indexes.items()}
    found |= {("foreign key", name): (key.columns, key.referred_table) for name, key in stored.foreign_keys.items()}
    return found


class Reflected:
    """The tables of a database, each read once.

    Args:
        context: with a connection.
    """

    def __init__(self, context: MigrationContext) -> None:
        assert context.connection is not None
        self.context = context
        self._inspector = sa.inspect(context.connection)
        self._names = set(self._inspector.get_table_names())
        self._aspects: dict[str, Aspects] = {}

    def is_like(self, name: str, table: TableState | None, telling: set[tuple[str, ...]]) -> bool:
        """Whether the table of that name is as built, as far as the aspects in ``telling`` go."""
        if name not in self._aspects:
            self._aspects[name] = self._read(name) if name in self._names else {}
        here, built = self._aspects[name], aspects(table, self.context.dialect.name)
        return all(
            self._same_type(here.get(key), table.columns[key[1]].type if table and key in built else None)
            if key[0] == "type"
            else here.get(key) == built.get(key)
            for key in telling
        )

    def _same_type(self, here: TypeEngine[Any] | None, built: TypeEngine[Any] | None) -> bool:
        if here is None or built is None:
            return here is built
        return not self.context.impl.compare_type(sa.Column("c", here), sa.Column("c", built))

    def _read(self, name: str) -> Aspects:
        inspector = self._inspector
        found: Aspects = {("table",): True, ("comment",): inspector.get_table_comment(name)["text"] or None}
        for column in inspector.get_columns(name):
            found["column", column["name"]] = True
            found["type", column["name"]] = column["type"]
            found["comment", column["name"]] = column.get("comment") or None
        for index in inspector.get_indexes(name):
            found["index", str(index["name"])] = tuple(index["column_names"])
        for key in inspector.get_foreign_keys(name):
            found["foreign key", str(key["name"])] = (tuple(key["constrained_columns"]), key["referred_table"])
        return found


def matching(db: Reflected, states: Sequence[State]) -> list[int]:
    """The last run of indexes into ``states`` that the database agrees with; empty when it agrees with none."""
    names = {name for state in states for name, table in state.items() if states[0].get(name) is not table}
    names |= {name for name in states[0] if any(name not in state for state in states)}
    dialect = db.context.dialect.name
    like: dict[tuple[str, int], bool] = {}
    for name in names:
        versions = {id(state.get(name)): state.get(name) for state in states}
        told = [aspects(version, dialect) for version in versions.values()]
        keys = set().union(*told)
        telling = {key for key in keys if any(one.get(key) != told[0].get(key) for one in told)}
        like |= {(name, key): db.is_like(name, version, telling) for key, version in versions.items()}
    agreeing = [i for i, state in enumerate(states) if all(like[name, id(state.get(name))] for name in names)]
    while agreeing and agreeing[-1] - agreeing[0] >= len(agreeing):
        agreeing.pop(0)
    return agreeing
