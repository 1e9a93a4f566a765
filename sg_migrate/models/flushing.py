"""What a flush writes beside the records' own columns: the rows of link tables, and the other ends of links.

This file needs SQLAlchemy and the files beside it alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, event, insert, inspect, select
from sqlalchemy.orm import object_session

from sg_migrate.models.fetching import Key, in_session
from sg_migrate.models.links import Link
from sg_migrate.models.lists import LinkedRecords, Links
from sg_migrate.models.records import held_by


def keep_links(base: type[Any]) -> None:
    """Make every flush of a set's records keep its link tables, and both ends of links that the site pairs."""
    event.listen(base, "after_insert", _inserted, propagate=True)
    event.listen(base, "after_update", _updated, propagate=True)
    event.listen(base, "after_delete", _deleted, propagate=True)
    event.listen(base, "expire", _forget, propagate=True)
    event.listen(base, "refresh", _forget_unchanged, propagate=True)


def _forget(record: Any, names: abc.Iterable[str] | None) -> None:
    if record is not None and names is None:  # a state may outlive its object
        vars(record).pop("_held", None)


def _forget_unchanged(record: Any, context: Any, names: abc.Iterable[str] | None) -> None:
    if names is None:
        held = held_by(record)
        for name, found in list(held.items()):
            if not (isinstance(found, LinkedRecords) and any(found.changes())):
                del held[name]


def _inserted(mapper: Any, connection: Connection, record: Any) -> None:
    key = _write_lists(connection, record)
    for link in record.__links__.values():
        if link.pairs:
            _tell_owners(connection, record, link, key, before=())


def _updated(mapper: Any, connection: Connection, record: Any) -> None:
    key = _write_lists(connection, record)
    for link in record.__links__.values():
        if link.pairs:
            histories = {column: inspect(record).attrs[column].history for column in link.columns}
            if any(history.has_changes() for history in histories.values()):
                before: abc.Iterable[str] = link.types
                if link.type_column:
                    of_type = histories[link.type_column]
                    before = of_type.deleted or of_type.unchanged or link.pairs  # what was expired has no history
                _tell_owners(connection, record, link, key, before)


def _write_lists(connection: Connection, record: Any) -> Key:
    """The rows of a record's link tables; gives what the record is called in a link."""
    key = (record.__entity_type__, record.id)
    for name, found in held_by(record).items():
        if isinstance(found, LinkedRecords):
            added, removed = found.changes()
            links: Links[Any] = record.__lists__[name]
            _delete(connection, links.table, [(record.id, *other) for other in added | removed])
            _insert(connection, links.table, [(record.id, *other) for other in added])
            found.saved()
            _tell_lists(connection, record, links, key, added, removed)
    return key


def _tell_lists(
    connection: Connection, record: Any, links: Links[Any], key: Key, added: set[Key], removed: set[Key]
) -> None:
    """The lists at the other end of a list."""
    for code in {code for code, _ in added | removed}:
        other = links.other_end(code)
        if isinstance(other, Links):
            _delete(connection, other.table, [(owner, *key) for of, owner in added | removed if of == code])
            _insert(connection, other.table, [(owner, *key) for of, owner in added if of == code])
            for of, owner in added | removed:
                if of == code:
                    _forget_list(record, other, owner)


def _tell_owners(connection: Connection, record: Any, link: Link[Any], key: Key, before: abc.Iterable[str]) -> None:
    """The lists at the other end of a link that leads elsewhere now; ``before`` are the types it may have led to."""
    now = link.key(record)
    for code in {*before, *([now[0]] if now else [])}:
        other = link.other_end(code)
        if not isinstance(other, Links):
            continue
        for owner in _take_out(connection, other.table, key):
            _forget_list(record, other, owner)
        if now is not None and now[0] == code:
            _insert(connection, other.table, [(now[1], *key)])
            _forget_list(record, other, now[1])


def _deleted(mapper: Any, connection: Connection, record: Any) -> None:
    key = (record.__entity_type__, record.id)
    for links in record.__lists__.values():
        connection.execute(delete(links.table).where(links.table.c.owner_id == record.id))
    for mine in (*record.__links__.values(), *record.__lists__.values()):
        for code in mine.pairs:
            other = mine.other_end(code)
            if isinstance(other, Links):
                for owner in _take_out(connection, other.table, key):
                    _forget_list(record, other, owner)


def _take_out(connection: Connection, table: Table, key: Key) -> list[int]:
    """Delete every link to a record; gives the owners that had one."""
    condition = (table.c.linked_type == key[0]) & (table.c.linked_id == key[1])
    owners = list(connection.scalars(select(table.c.owner_id).where(condition)))
    if owners:
        connection.execute(delete(table).where(condition))
    return owners


def _forget_list(record: Any, links: Links[Any], owner_id: int) -> None:
    """A list of a record of the same session is read again, unless somebody changed it."""
    owner = in_session(object_session(record), links.owner, owner_id)
    found = held_by(owner).get(links.name) if owner is not None else None
    if isinstance(found, LinkedRecords) and not any(found.changes()):
        del held_by(owner)[links.name]


def _delete(connection: Connection, table: Table, rows: list[tuple[int, str, int]]) -> None:
    if rows:
        columns = table.c
        statement = delete(table).where(
            columns.owner_id == bindparam("a"),
            columns.linked_type == bindparam("b"),
            columns.linked_id == bindparam("c"),
        )
        connection.execute(statement, [{"a": owner, "b": code, "c": linked} for owner, code, linked in sorted(rows)])


def _insert(connection: Connection, table: Table, rows: list[tuple[int, str, int]]) -> None:
    if rows:
        names = ("owner_id", "linked_type", "linked_id")
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in sorted(rows)])
