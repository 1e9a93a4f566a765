"""What to load, as paths of fields: ``entity.{Asset,Shot}.{code,sg_status_list}``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from sg_migrate.errors import PathError
from sg_migrate.models.fetching import fetch, fill_lists


@dataclass(slots=True)
class _Wanted:
    """What is wanted of records: attributes, and of what links lead to, by link and entity type."""

    columns: set[str] = field(default_factory=set)
    links: dict[str, dict[str, _Wanted]] = field(default_factory=dict)


def expand(path: str) -> list[str]:
    """``a.{b,c}`` as ``a.b`` and ``a.c``; braces may stand in braces. Raises `PathError` for one that has no other."""
    start = path.find("{")
    if start < 0:
        if "}" in path:
            raise PathError(path, "a brace is closed that was not opened")
        return [path]
    depth, cuts = 0, [start]
    for position in range(start, len(path)):
        depth += {"{": 1, "}": -1}.get(path[position], 0)
        if path[position] == "," and depth == 1:
            cuts.append(position)
        if depth == 0:
            cuts.append(position)
            break
    else:
        raise PathError(path, "a brace is opened and not closed")
    choices = [path[cuts[i] + 1 : cuts[i + 1]] for i in range(len(cuts) - 1)]
    return [found for choice in choices for found in expand(path[:start] + choice.strip() + path[cuts[-1] + 1 :])]


def load_fields(session: Session, records: Iterable[Any], *paths: str) -> None:
    """Load what paths of fields lead to, and no other columns of the records on the way.

    ``load_fields(session, tasks, "entity.{Asset,Shot}.{code,sg_status_list}", "project.name")``

    A path goes from field to field; behind a link it may name an entity type, as in ShotGrid's own paths, which leaves
    the others out. One that ends in a link loads the whole records. It costs one query for each step and entity type,
    and one more for each list of links, whatever the number of records.

    Raises:
        PathError: a path with a field that no entity type on the way has, or with unbalanced braces.
    """
    level = list(dict.fromkeys(records))
    if not level:
        return
    classes = level[0].__classes__
    by_type: dict[str, _Wanted] = {}
    for record in level:
        by_type.setdefault(record.__entity_type__, _Wanted())
    for path in paths:
        for single in expand(path):
            reached = [_add(by_type[code], classes[code], single.split("."), classes) for code in by_type]
            if not any(reached):
                raise PathError(single, f"no field of {' or '.join(sorted(by_type))} leads there")
    fetch(
        session, classes, {(record.__entity_type__, record.id) for record in level},
        {code: _columns(wanted, classes[code]) for code, wanted in by_type.items()},
    )  # fmt: skip
    _follow(session, level, by_type)


def _add(wanted: _Wanted, cls: Any, words: list[str], classes: Any) -> bool:
    """Note what a path wants of a class; gives whether it leads anywhere."""
    name, *rest = words
    to = cls.__links__.get(name) or cls.__lists__.get(name)
    if to is None:
        known = not rest and name in cls.__mapper__.column_attrs
        wanted.columns |= {name} if known else set()
        return known
    named = [rest.pop(0)] if rest and rest[0] in classes else None
    types = wanted.links.setdefault(name, {})
    reached = False
    for code in named or [code for code in (to.types or classes) if code in classes]:
        further = types.get(code, _Wanted())
        if not rest:
            further.columns |= set(classes[code].__mapper__.column_attrs.keys())
        if not rest or _add(further, classes[code], rest, classes):
            types[code] = further
            reached = True
    return reached


def _columns(wanted: _Wanted, cls: Any) -> list[str]:
    """The attributes that a query asks for: what is wanted, and what its links consist of."""
    links = [cls.__links__[name] for name in wanted.links if name in cls.__links__]
    return sorted({"id", *wanted.columns, *(column for link in links for column in link.columns)})


def _follow(session: Session, records: list[Any], wanted: dict[str, _Wanted]) -> None:
    """Load what the links of records lead to, level by level."""
    while records:
        classes = records[0].__classes__
        below: dict[str, _Wanted] = {}
        keys = []
        lists: list[tuple[Any, list[Any]]] = []
        for code, of_type in wanted.items():
            cls = classes[code]
            owners = [record for record in records if record.__entity_type__ == code]
            for name, types in of_type.links.items():
                for target, further in types.items():
                    _merge(below.setdefault(target, _Wanted()), further)
                if name in cls.__lists__:
                    lists.append((cls.__lists__[name], owners))
                else:
                    link = cls.__links__[name]
                    found = ((link, owner, link.key(owner)) for owner in owners)
                    keys += [(link, owner, key) for link, owner, key in found if key and key[0] in types]
        only = {code: _columns(further, classes[code]) for code, further in below.items()}
        there = fetch(session, classes, {key for _, _, key in keys}, only)
        for link, owner, key in keys:
            link.hold(owner, key, there.get(key))
        for links, owners in lists:  # they are read whole: of entity types that nobody asked for, the ids alone
            there.update(fill_lists(session, owners, links, {code: only.get(code, ["id"]) for code in classes}))
        records = [record for (code, _), record in there.items() if code in below]
        wanted = below


def _merge(into: _Wanted, more: _Wanted) -> None:
    into.columns |= more.columns
    for name, types in more.links.items():
        for code, further in types.items():
            _merge(into.links.setdefault(name, {}).setdefault(code, _Wanted()), further)
