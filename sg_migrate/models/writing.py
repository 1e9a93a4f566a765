"""Looking records up by what is unique about them, and writing many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from sg_migrate.models.fetching import in_ids, in_session

T = TypeVar("T")


def get_by(session: Session, cls: type[T], **values: Any) -> T | None:
    """The one record with these values, or ``None``: ``get_by(session, Shot, code="010", project=project)``.

    Links take records, and everything takes ``None``. Raises SQLAlchemy's ``MultipleResultsFound`` where several have
    them, ``AttributeError`` for a field that is not there.
    """
    query = sa.select(cls)
    for name, value in values.items():
        query = query.where(getattr(cls, name) == value)
    return session.scalars(query.limit(2)).one_or_none()


def upsert(session: Session, rows: Iterable[Any]) -> int:
    """Insert records and update those that are there, by their ids: one statement for each class and set of fields, two
    for each list of links.

    Only what was set on a row is written, its links and lists of links included; other columns stay as they are. The
    other ends of links are not told: a whole load of the site brings both.

    Args:
        session: what it holds of the written records is read again when it is looked at. Nothing is committed.
        rows: new objects that are in no session: ``Shot(id=1, code="010")``, ``models.record(sg.find_one(...))``.

    Returns:
        How many rows there were.
    """
    session.flush()
    groups: dict[tuple[Any, tuple[str, ...]], list[Any]] = {}
    for row in rows:
        names = tuple(one.key for one in sa.inspect(type(row)).column_attrs if one.key in vars(row))
        groups.setdefault((type(row), names), []).append(row)
    for (cls, names), of_group in groups.items():
        columns = {name: sa.inspect(cls).attrs[name].columns[0] for name in names}
        statement = _statement(session.get_bind(cls).dialect.name, cls.__table__, list(columns.values()))
        values = [{column.name: vars(row)[name] for name, column in columns.items()} for row in of_group]
        session.execute(statement, values)
        for links in cls.__lists__.values():
            _write_lists(session, links, [(row.id, links.of_record(row)) for row in of_group])
        for row in of_group:
            known = in_session(session, cls, row.id)
            if known is not None:
                session.expire(known)
    return sum(map(len, groups.values()))


def _statement(dialect: str, table: sa.Table, columns: list[Any]) -> Any:
    others = [column.name for column in columns if not column.primary_key]
    values = {column.name: sa.bindparam(column.name, type_=column.type) for column in columns}
    if dialect in ("mysql", "mariadb"):
        insert = mysql.insert(table).values(values)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in others or ["id"]})
    on_conflict = (postgresql if dialect == "postgresql" else sqlite).insert(table).values(values)
    if not others:
        return on_conflict.on_conflict_do_nothing(index_elements=["id"])
    return on_conflict.on_conflict_do_update(
        index_elements=["id"], set_={name: on_conflict.excluded[name] for name in others}
    )


def _write_lists(session: Session, links: Any, lists: Iterable[tuple[int, Any]]) -> None:
    """The rows of one link table, for the owners whose lists were set."""
    keys = {owner_id: found.held_keys() for owner_id, found in lists if found.is_loaded}
    for condition in in_ids(links.table.c.owner_id, keys):
        session.execute(sa.delete(links.table).where(condition))
    rows = [
        {"owner_id": owner_id, "linked_type": code, "linked_id": to}
        for owner_id, some in keys.items()
        for code, to in some
    ]
    if rows:
        session.execute(sa.insert(links.table), rows)
