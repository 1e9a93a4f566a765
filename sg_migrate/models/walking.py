"""From record to record: up to the project, back along links, and along paths of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from sqlalchemy import select
from sqlalchemy.orm import Session

from sg_migrate.models.fetching import fetch, in_ids
from sg_migrate.models.links import Link
from sg_migrate.models.records import Record

PARENTS: Mapping[str, Sequence[str]] = {
    "Cut": ("entity", "sg_scene", "project"),
    "PublishedFile": ("entity", "project"),
    "Sequence": ("episode", "project"),
    "Shot": ("sg_sequence", "sg_scene", "project"),
    "Task": ("entity", "project"),
    "TimeLog": ("entity", "project"),
    "Version": ("entity", "project"),
}
"""The links that lead to a record's parent: the first that leads somewhere. Of other entity types it is ``project``."""


def parents(
    session: Session, records: Iterable[Any], rule: Mapping[str, Sequence[str]] = PARENTS
) -> dict[Any, list[Any]]:
    """The whole chain above each record: a task's shot, its sequence, its project.

    Args:
        session: the records' session.
        records: of one entity type or several.
        rule: by entity type, the links to try; to extend it: ``PARENTS | {"CustomEntity07": ("sg_shot",)}``.

    Returns:
        By record, its parent, that one's parent and so on. One query for each level and entity type, however many
        records there are; further ones only where a link leads to a record that is missing.
    """
    chains: dict[Any, list[Any]] = {record: [] for record in records}
    above: dict[Any, Any] = {}
    level = list(chains)
    while level:
        found = _parents_of(session, level, rule)
        above.update(found)
        level = list(dict.fromkeys(parent for parent in found.values() if parent not in above))
    for record, chain in chains.items():
        parent = above.get(record)
        while parent is not None and parent not in chain and parent is not record:
            chain.append(parent)
            parent = above.get(parent)
    return chains


def _parents_of(session: Session, records: Iterable[Any], rule: Mapping[str, Sequence[str]]) -> dict[Any, Any]:
    """The parent of each record that has one."""
    left = {record: _links_up(record, rule) for record in records}
    found: dict[Any, Any] = {}
    while left:
        wanted = []
        for record, links in left.items():
            for number, link in enumerate(links, start=1):
                if (key := link.key(record)) is not None:
                    wanted.append((record, link, key, links[number:]))
                    break
        classes = wanted[0][0].__classes__ if wanted else {}
        there = fetch(session, classes, {key for _, _, key, _ in wanted})
        left = {record: others for record, _, key, others in wanted if key not in there}
        for record, link, key, _ in wanted:
            link.hold(record, key, there.get(key))
            if key in there:
                found[record] = there[key]
    return found


def _links_up(record: Any, rule: Mapping[str, Sequence[str]]) -> list[Link[Any]]:
    names = rule.get(record.__entity_type__, ("project",))
    return [record.__links__[name] for name in names if name in record.__links__]


@overload
def backrefs(session: Session, records: Record, link: Any) -> list[Any]: ...
@overload
def backrefs(session: Session, records: Iterable[Record], link: Any) -> dict[Any, list[Any]]: ...
def backrefs(session: Session, records: Record | Iterable[Record], link: Any) -> list[Any] | dict[Any, list[Any]]:
    """The records whose ``link`` leads here: ``backrefs(session, shot, Task.entity)``.

    Args:
        session: the records' session.
        records: one record, or several; of several it is one query for each entity type among them.
        link: a link or a list of links, of the class that is asked for.

    Returns:
        The records in the order of their ids; of several records, lists of them by record.
    """
    if not isinstance(records, Iterable):
        return backrefs(session, [records], link)[records]
    targets = {link.key_of(record): record for record in records}
    found: dict[Any, list[Any]] = {record: [] for record in targets.values()}
    owner = link.owner
    ids: dict[str, list[int]] = {}
    for code, record_id in targets:
        ids.setdefault(code, []).append(record_id)
    for code, of_type in sorted(ids.items()):
        for key, back in _rows_back(session, link, owner, code, of_type):
            found[targets[key]].append(back)
            if not link.is_list:
                link.hold(back, key, targets[key])
    return found


def _rows_back(session: Session, link: Any, owner: Any, code: str, ids: list[int]) -> Iterable[tuple[Any, Any]]:
    if link.is_list:
        rows = link.table.c
        for condition in in_ids(rows.linked_id, ids):
            query = select(rows.linked_id, owner).join(link.table, rows.owner_id == owner.id)
            query = query.where(rows.linked_type == code, condition).order_by(owner.id)
            yield from (((code, record_id), back) for record_id, back in session.execute(query))
        return
    for condition in in_ids(getattr(owner, link.id_column), ids):
        query = select(owner).where(condition).order_by(owner.id)
        if link.type_column:
            query = query.where(getattr(owner, link.type_column) == code)
        yield from ((link.key(back), back) for back in session.scalars(query))
