"""How a difference between two schemas reads: as text, as a document, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sg_migrate.comparison.difference import Difference
from sg_migrate.reports.document import Block, Cell, Details, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.text import Line
from sg_migrate.reports.who import attribution_json, unknown
from sg_migrate.review.findings import Level
from sg_migrate.site.attribution import Attribution
from sg_migrate.site.changes import SiteChange
from sg_migrate.text import clean, plural, shorten

VERSION = 1
_SIGNS = {"added": "+", "revived": "+", "vanished": "-", "retired": "-", "dropped": "-"}
_STYLES = {"+": "green", "~": "yellow", "-": "red"}
SHOWN_CHANGES = 300
"""Changes in a table that is not folded away."""


def _by_entity_type(found: Difference) -> list[tuple[str, list[tuple[SiteChange, Attribution | None]]]]:
    return [(code, list(group)) for code, group in groupby(found.rows(), key=lambda row: row[0].entity_type)]


def sign(found: SiteChange) -> str:
    """``+``, ``~`` or ``-``."""
    return _SIGNS.get(found.kind, "~")


def _words(found: SiteChange) -> str:
    """The change without the entity type, which is said above it."""
    if found.field is None:
        return found.what
    return f"{found.field}{_display_name(found)}: {found.what}"


def _display_name(found: SiteChange) -> str:
    name = shorten(clean(found.display_name), 60)
    return f' "{name}"' if name else ""


def text(found: Difference) -> list[Line]:
    """Like ``git diff``: the two names, and below each entity type what came, went and changed."""
    lines: list[Line] = []
    if not found.changes:
        return lines
    lines += [(f"--- {found.old_name}", "bold"), (f"+++ {found.new_name}", "bold")]
    for code, group in _by_entity_type(found):
        lines.append((f"@@ {found.with_display_names[code]} @@", "cyan"))
        for change, by in group:
            who = f"  ({by.words})" if by and by.words else ""
            lines.append((f"{sign(change)} {_words(change)}{who}", _STYLES[sign(change)]))
    return lines + [(line, "dim") for line in unknown(found.attributions)]


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
                              if found.level >= Level.VISIBLE else ""),), strong=True)  # fmt: skip
    header = ("", "Entity type", "Field", "Display name", "What", *(["Who"] if found.attributions else []))
    table = Table(header, tuple(_rows(found)))
    yield from (Paragraph((line,)) for line in unknown(found.attributions))
    if len(found.changes) <= SHOWN_CHANGES:
        yield table
    else:
        yield Details(f"Every change ({len(found.changes):,})", (table,))


def _rows(found: Difference) -> Iterator[tuple[Cell, ...]]:
    for item, by in found.rows():
        name = shorten(clean(item.display_name), 60)
        row: tuple[Cell, ...] = ((sign(item),), (Name(item.entity_type),), (Name(item.field or ""),), (Name(name),))
        yield (*row, (item.what,), *([(by.words if by else "",)] if found.attributions else []))


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
                "display_name": change.display_name or None,
                "kind": change.kind,
                "old": change.old,
                "new": change.new,
                "added": list(change.added),
                "removed": list(change.removed),
                "text": str(change),
                "who": attribution_json(by),
            }
            for change, by in found.rows()
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True)
