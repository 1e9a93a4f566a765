"""What of a warehouse has been loaded: the tables ``sg_load`` and ``sg_load_rejects``.

They are no part of the revisions: the first load creates them. A load commits its rows and what it notes here together.
A revision that gives a field other columns takes note that the field is not loaded any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from sg_migrate.warehouse.mapping import TEXT
from sg_migrate.warehouse.state import State

_METADATA = sa.MetaData()

LOAD = sa.Table(
    "sg_load",
    _METADATA,
    sa.Column("entity_type", sa.String(64), primary_key=True),
    sa.Column("scope", sa.String(190), primary_key=True, comment="The ids of the projects; empty for the whole site"),
    sa.Column("stage", sa.String(16), nullable=False, comment="loaded, or what is being read"),
    sa.Column("ranges", TEXT, nullable=False, comment="JSON: the ranges of ids that are still to be read"),
    sa.Column("reading", TEXT, nullable=False, comment="JSON: the fields that are being read"),
    sa.Column("fields", TEXT, nullable=False, comment="JSON: the fields that are loaded, with their data types"),
    sa.Column("last_id", sa.BigInteger(), nullable=False, comment="The highest id that has been seen"),
    sa.Column("mark", sa.String(32), nullable=False, comment="Changes on the site up to this moment are loaded"),
    sa.Column("next_mark", sa.String(32), nullable=False, comment="The mark, once what is being read is done"),
    sa.Column("event", sa.BigInteger(), comment="Events of the site up to this one are followed"),
    sa.Column("records", sa.BigInteger(), nullable=False, comment="How many records the last load has read"),
    sa.Column("changed", sa.BigInteger(), nullable=False, comment="How many rows it has written"),
    sa.Column("finished", sa.String(32), nullable=False, comment="When it was done"),
    comment="What sg-migrate load has loaded",
    mysql_charset="utf8mb4",
)
REJECTS = sa.Table(
    "sg_load_rejects",
    _METADATA,
    sa.Column("entity_type", sa.String(64), primary_key=True),
    sa.Column("record_id", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("field_code", sa.String(128), primary_key=True),
    sa.Column("value", TEXT, comment="What the site sent, as JSON"),
    sa.Column("reason", sa.String(255), nullable=False, comment="Why it has no place in its column, which is null"),
    comment="Values of the site that have no place in their columns",
    mysql_charset="utf8mb4",
)


@dataclass(slots=True)
class Progress:
    """How far one entity type is loaded; a row of ``sg_load``, with the meaning of its columns.

    ``ranges`` are pairs: read up to the first id, and to be read up to the second; ``None`` is no limit.
    """

    entity_type: str
    scope: str = ""
    stage: str = ""
    ranges: list[list[int | None]] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    last_id: int = 0
    mark: str = ""
    next_mark: str = ""
    event: int | None = None
    records: int = 0
    changed: int = 0
    finished: str = ""


_JSON = ("ranges", "reading", "fields")


def create(connection: sa.Connection) -> None:
    """Make the two tables where they are missing."""
    _METADATA.create_all(connection)


def exists(connection: sa.Connection) -> bool:
    """Whether anything was ever loaded."""
    return sa.inspect(connection).has_table(LOAD.name)


def read(connection: sa.Connection) -> Iterator[Progress]:
    """Every entity type's, in the order of their names."""
    for row in connection.execute(sa.select(LOAD).order_by(LOAD.c.entity_type, LOAD.c.scope)).mappings():
        yield Progress(**{name: json.loads(value) if name in _JSON else value for name, value in row.items()})


def save(connection: sa.Connection, progress: Progress) -> None:
    """Note how far an entity type is."""
    values: dict[str, Any] = {one.name: getattr(progress, one.name) for one in fields(progress)}
    values |= {name: json.dumps(values[name], sort_keys=True) for name in _JSON}
    row = sa.and_(LOAD.c.entity_type == progress.entity_type, LOAD.c.scope == progress.scope)
    if not connection.execute(sa.update(LOAD).where(row).values(values)).rowcount:
        connection.execute(sa.insert(LOAD).values(values))


def forget(connection: sa.Connection, before: State, after: State) -> None:
    """Note that what is built anew between two states is not loaded: of new tables everything, else the fields.

    It is called before the database is changed: where that fails, something is read again for nothing.
    """
    places = _marks(after)
    known = _marks(before)
    new = {place for place, marks in places.items() if marks - known.get(place, set())}
    if not new or not exists(connection):
        return
    types = {entity_type for entity_type, code in new if not code}
    for progress in list(read(connection)):
        if progress.entity_type in types:
            connection.execute(sa.delete(LOAD).where(LOAD.c.entity_type == progress.entity_type))
            continue
        gone = {code for entity_type, code in new if entity_type == progress.entity_type} & progress.fields.keys()
        if gone:
            progress.fields = {code: kind for code, kind in progress.fields.items() if code not in gone}
            save(connection, progress)


def _marks(state: State) -> dict[tuple[str, str], set[str]]:
    """The marks of every field's columns and link tables, and with an empty code of every entity type's table."""
    found: dict[tuple[str, str], set[str]] = {}
    for table in state.values():
        entity_type, code = table.mark.entity_type, table.mark.field
        found.setdefault((entity_type, code), set()).add(str(table.mark) if code else entity_type)
        for column in table.columns.values() if not code else ():
            if column.mark.field:
                found.setdefault((entity_type, column.mark.field), set()).add(str(column.mark))
    return found
