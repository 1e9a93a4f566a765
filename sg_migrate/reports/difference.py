"""Two schemas beside each other: what differs, how much of it needs attention, and how it reads in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from sg_migrate.conversion.rules import always_converts, kind_of, type_change
from sg_migrate.reports.document import Block, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.text import Line
from sg_migrate.reports.words import plural
from sg_migrate.review.findings import Level
from sg_migrate.revisions.summary import display_name
from sg_migrate.site.changes import Kind, SiteChange, changes
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.text import clean, shorten
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.transition import Change, Transition

VERSION = 1
_SIGNS = {"added": "+", "revived": "+", "vanished": "-", "retired": "-", "dropped": "-"}
_STYLES = {"+": "green", "~": "yellow", "-": "red"}
SHOWN_CHANGES = 300
"""Changes in a table that is not folded away."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two schemas with their names, and what changed from the old one to the new one."""

    old_name: str
    new_name: str
    changes: tuple[SiteChange, ...]
    level: Level
    """What the worst of the changes means for the warehouse."""
    titles: dict[str, str]
    """The entity types with their display names."""


def difference(old: SiteSchema, new: SiteSchema, old_name: str, new_name: str) -> Difference:
    """What changed between two schemas, plain or ledgers; nothing that is not a change."""
    found = changes(old, new)
    level = max((_level(change, old, new) for change in found), default=Level.SAFE)
    titles = {code: _title(entity_type) for schema in (old, new) for code, entity_type in schema.entity_types.items()}
    return Difference(old_name, new_name, tuple(found), level, titles)


def warehouse_difference(found: Transition, site: SiteSchema, old_name: str, new_name: str) -> Difference:
    """What changed between two states of the warehouse.

    Args:
        found: the two states.
        site: where display names are looked up.
        old_name: what the first state is.
        new_name: what the second is.
    """
    own = [change for change in found.changes if change.entity_type != CATALOG]
    kinds = {change.kind for change in own}
    level = Level.LOSSY if "converted" in kinds else Level.SAFE
    if kinds & {"dropped", "pruned"}:
        level = Level.DESTRUCTIVE
    titles = {code: _title(entity_type) for code, entity_type in site.entity_types.items()}
    titles.update({change.entity_type: change.entity_type for change in own if change.entity_type not in titles})
    return Difference(old_name, new_name, tuple(_site_change(change, site) for change in own), level, titles)


def _site_change(change: Change, site: SiteSchema) -> SiteChange:
    """A change of the warehouse in the words for a site's."""
    place = (change.entity_type, change.field or None)
    label = display_name(site, change.entity_type, change.field)
    if change.kind in ("converted", "retyped"):
        old, new = (mark.data_type if mark else None for mark in (change.old, change.new))
        return SiteChange(*place, "data_type", label, old=old, new=new)
    if change.kind == "added":
        return SiteChange(
            *place, "added", label, new=change.new.data_type if change.field and change.new else change.fields
        )
    if change.kind == "pruned":
        return SiteChange(*place, "pruned", label, added=(change.old.former,) if change.old else ())
    if change.kind == "renamed":
        old, new = ", ".join(change.old_names), ", ".join(change.new_names)
        return SiteChange(*place, "renamed", label, old=old, new=new)
    if change.kind == "comment":
        return SiteChange(*place, "comment", label, old=change.old_comment, new=change.new_comment)
    return SiteChange(*place, cast(Kind, change.kind), label)


def _title(entity_type: EntityType) -> str:
    name = shorten(clean(entity_type.name), 60)
    return f'{entity_type.code} "{name}"' if name and name != entity_type.code else entity_type.code


def _level(found: SiteChange, old: SiteSchema, new: SiteSchema) -> Level:
    if found.kind == "dropped":
        return Level.DESTRUCTIVE
    if found.kind not in ("data_type", "renderer") or found.field is None:
        return Level.SAFE
    before = old.entity_types[found.entity_type].fields[found.field]
    after = new.entity_types[found.entity_type].fields[found.field]
    return Level.SAFE if _keeps_values(before, after) else Level.LOSSY


def _keeps_values(before: Field, after: Field) -> bool:
    """Whether every value of the field says the same after its type changed."""
    source, target = columns_for(before), columns_for(after)
    if source is None or source == target:
        return True
    if target is None:
        return True  # the column is kept as it is
    if isinstance(source, str) or isinstance(target, str):
        return (source, target) == ("link", "links")
    return type_change(source, target) != "convert" or always_converts((kind_of(source), kind_of(target)))


def _by_entity_type(found: Difference) -> list[tuple[str, list[SiteChange]]]:
    return [(code, list(group)) for code, group in groupby(found.changes, key=lambda change: change.entity_type)]


def sign(found: SiteChange) -> str:
    """``+``, ``~`` or ``-``."""
    return _SIGNS.get(found.kind, "~")


def _words(found: SiteChange) -> str:
    """The change without the entity type, which is said above it."""
    if found.field is None:
        return found.what
    return f"{found.field}{_label(found)}: {found.what}"


def _label(found: SiteChange) -> str:
    name = shorten(clean(found.label), 60)
    return f' "{name}"' if name else ""


def text(found: Difference) -> list[Line]:
    """Like ``git diff``: the two names, and below each entity type what came, went and changed."""
    lines: list[Line] = []
    if not found.changes:
        return lines
    lines += [(f"--- {found.old_name}", "bold"), (f"+++ {found.new_name}", "bold")]
    for code, group in _by_entity_type(found):
        lines.append((f"@@ {found.titles[code]} @@", "cyan"))
        lines += [(f"{sign(change)} {_words(change)}", _STYLES[sign(change)]) for change in group]
    return lines


def document(found: Difference) -> Document:
    """The differences as a document: counts first, then a table by entity type."""
    rest = f"sg-migrate diff {found.old_name} {found.new_name}"
    return Document(f"Changes from {found.old_name} to {found.new_name}", tuple(_blocks(found)), rest)


def _blocks(found: Difference) -> Iterator[Block]:
    yield Heading(("Changes from", Name(found.old_name), "to", Name(found.new_name)))
    if not found.changes:
        yield Paragraph(("Nothing differs.",))
        return
    entity_types = plural(len(_by_entity_type(found)), "entity type")
    words = f"{plural(len(found.changes), 'change')} in {entity_types}"
    yield Paragraph((words + (f"; {found.level}: some values would not convert, or be dropped"
                              if found.level >= Level.LOSSY else ""),), strong=True)  # fmt: skip
    table = Table(("", "Entity type", "Field", "Display name", "What"), tuple(_rows(found.changes)))
    if len(found.changes) <= SHOWN_CHANGES:
        yield table
    else:
        yield Details(f"Every change ({len(found.changes):,})", (table,))


def _rows(found: Sequence[SiteChange]) -> Iterator[tuple[tuple[str | Name, ...], ...]]:
    for item in found:
        label = shorten(clean(item.label), 60)
        yield (sign(item),), (Name(item.entity_type),), (Name(item.field or ""),), (Name(label),), (item.what,)


def json_text(found: Difference) -> str:
    """The differences as JSON; docs/review.md describes it."""
    document: dict[str, Any] = {
        "format": "sg-migrate diff",
        "version": VERSION,
        "old": found.old_name,
        "new": found.new_name,
        "level": str(found.level),
        "changes": [
            {
                "entity_type": change.entity_type,
                "field": change.field,
                "display_name": change.label or None,
                "kind": change.kind,
                "old": change.old,
                "new": change.new,
                "added": list(change.added),
                "removed": list(change.removed),
                "text": str(change),
            }
            for change in found.changes
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True)
