"""Many records by their ids, in few queries.

This file needs SQLAlchemy alone: scripts that ``sg-migrate models`` writes contain it.
"""

from collections import abc
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, load_only

Key = tuple[str, int]
"""What a link holds: an entity type and an id."""

IDS_AT_ONCE = 50_000
"""Ids that one query asks for; they are part of its text, since engines bound the number of parameters."""


def in_ids(column: Any, ids: abc.Iterable[int]) -> abc.Iterator[Any]:
    """Conditions that together say ``column IN ids``, one for each query."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), IDS_AT_ONCE):
        batch = [int(number) for number in ordered[start : start + IDS_AT_ONCE]]
        yield column.in_(bindparam("ids", batch, unique=True, expanding=True, literal_execute=True))


def fetch(
    session: Session,
    classes: abc.Mapping[str, Any],
    keys: abc.Iterable[Key],
    only: abc.Mapping[str, abc.Sequence[str]] | None = None,
) -> dict[Key, Any]:
    """The records of these keys, one query for each entity type among them; what the session has is not asked for.

    Args:
        session: where they belong.
        classes: by entity type; keys of other types lead nowhere.
        keys: entity types and ids.
        only: by entity type, the attributes to load; all of them where there is no entry.
    """
    ids: dict[str, set[int]] = {}
    for code, record_id in keys:
        if code in classes:
            ids.setdefault(code, set()).add(record_id)
    found: dict[Key, Any] = {}
    for code in sorted(ids):
        cls = classes[code]
        known = _known(session, cls, ids[code], only.get(code, ()) if only else ())
        found.update({(code, record_id): record for record_id, record in known.items()})
        for condition in in_ids(cls.id, ids[code] - known.keys()):
            query = select(cls).where(condition)
            if only and code in only:
                query = query.options(load_only(*(getattr(cls, name) for name in only[code])))
            found.update({(code, record.id): record for record in session.scalars(query)})
    return found


def _known(session: Session, cls: Any, ids: abc.Iterable[int], names: abc.Iterable[str]) -> dict[int, Any]:
    """The records that the session holds, has not forgotten, and has these attributes of."""
    wanted = {"id", *(names or cls.__mapper__.column_attrs.keys())}
    found = {record_id: in_session(session, cls, record_id) for record_id in ids}
    return {number: record for number, record in found.items() if record is not None and wanted <= vars(record).keys()}


def in_session(session: Session | None, cls: Any, record_id: int) -> Any:
    """The record that a session holds, or ``None``; the database is not asked."""
    if session is None or cls is None:
        return None
    return session.identity_map.get(cls.__mapper__.identity_key_from_primary_key((record_id,)))


def fill_lists(
    session: Session, owners: abc.Iterable[Any], links: Any, only: abc.Mapping[str, abc.Sequence[str]] | None = None
) -> dict[Key, Any]:
    """Read a list of links of many records: one query for the links, one for each entity type among them.

    Returns:
        The records that it leads to.
    """
    rows = links.table.c
    by_id = {owner.id: owner for owner in owners}
    keys: dict[int, list[Key]] = {owner_id: [] for owner_id in by_id}
    for condition in in_ids(rows.owner_id, by_id):
        query = select(rows.owner_id, rows.linked_type, rows.linked_id).where(condition)
        for owner_id, code, record_id in session.execute(query):
            keys[owner_id].append((code, record_id))
    found = fetch(session, links.owner.__classes__, {key for some in keys.values() for key in some}, only)
    for owner_id, owner in by_id.items():
        links.of_record(owner).fill({key: found.get(key) for key in sorted(keys[owner_id])})
    return found


def prefetch(session: Session, records: abc.Iterable[Any], *what: Any) -> None:
    """Read what links lead to, so that reading them later asks the database for nothing.

    ``prefetch(session, tasks, Task.entity, Task.project, Task.task_assignees)``

    Args:
        session: the records' session.
        records: of one entity type or several; a link is followed from those that have it.
        what: links and lists of links. One query for each entity type that they lead to, whatever the number of
            records and links; for a list one more, for its link table.
    """
    owners = list(records)
    wanted = []
    for link in what:
        those = [owner for owner in owners if isinstance(owner, link.owner)]
        if link.is_list:
            fill_lists(session, those, link)
        else:
            wanted += [(link, owner, key) for owner in those if (key := link.key(owner)) is not None]
    if wanted:
        found = fetch(session, wanted[0][0].owner.__classes__, {key for _, _, key in wanted})
        for link, owner, key in wanted:
            link.hold(owner, key, found.get(key))
