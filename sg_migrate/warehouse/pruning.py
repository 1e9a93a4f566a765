"""Deciding that something retired may be dropped: what there is to choose from, choosing, and marking it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from sg_migrate.errors import PruneError
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection, expand
from sg_migrate.warehouse.state import ColumnState, State, TableState


@dataclass(frozen=True, slots=True)
class Prunable:
    """Something that may be dropped: a retired entity type or field, or the values a field kept from an earlier type.

    ``label`` tells kept values apart (``text``, ``text_2``) and is empty for the others. ``since`` is the date of the
    retirement; kept values have none. ``objects`` names the tables and columns that go.
    """

    entity_type: str
    field: str
    display_name: str
    label: str = ""
    since: str | None = None
    objects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``CustomEntity07``, ``Shot.sg_old``, ``Shot.sg_cut_in:text``; no code of a field holds a colon."""
        label = f":{self.label}" if self.label else ""
        return f"{self.entity_type}.{self.field}{label}" if self.field else self.entity_type


def prunable(ledger: SiteSchema, built: State) -> list[Prunable]:
    """Everything that may be pruned, in the order of the ledger.

    Args:
        ledger: the snapshot's entries.
        built: what the revisions have built; it knows the columns and tables that keep values of earlier types.
    """
    found = []
    tables: dict[str, list[TableState]] = {}
    for table in built.values():
        tables.setdefault(table.mark.entity_type, []).append(table)
    for entity_type in ledger.entity_types.values():
        own = tables.get(entity_type.code, [])
        if entity_type.state == "retired":
            objects = _objects(own)
            found.append(Prunable(entity_type.code, "", entity_type.name, since=entity_type.since, objects=objects))
        if entity_type.state != "dropped":
            for field in entity_type.fields.values():
                found += _of_field(entity_type, field, own)
    return found


def _of_field(entity_type: EntityType, field: Field, tables: Sequence[TableState]) -> Iterator[Prunable]:
    if field.state == "dropped":
        return
    if "retired" in (entity_type.state, field.state):
        since = field.since or entity_type.since
        objects = _objects(tables, field.code)
        yield Prunable(entity_type.code, field.code, field.name, since=since, objects=objects)
    labels = {item.mark.former for item in _of(tables, field.code) if item.mark.former}
    for label in sorted(labels.difference(field.pruned)):
        objects = _objects(tables, field.code, label)
        yield Prunable(entity_type.code, field.code, field.name, label, objects=objects)


def _of(tables: Sequence[TableState], field: str) -> Iterator[TableState | ColumnState]:
    """Of an entity type's tables: those of a field, and its columns; without a field all tables."""
    for table in tables:
        if not field or table.mark.field == field:
            yield table
        elif not table.mark.field:
            yield from (column for column in table.columns.values() if column.mark.field == field)


def _objects(tables: Sequence[TableState], field: str = "", label: str = "") -> tuple[str, ...]:
    """The tables and columns in words; with a label only those that keep the values it names."""
    own = next((table.name for table in tables if not table.mark.field), "")
    return tuple(
        f"table {item.name}" if isinstance(item, TableState) else f"column {own}.{item.name}"
        for item in _of(tables, field)
        if not label or item.mark.former == label
    )


def choose(
    candidates: Sequence[Prunable], ledger: SiteSchema, patterns: Sequence[str], before: date | None = None
) -> list[Prunable]:
    """Those of ``candidates`` that the patterns name, in their order; nothing twice.

    A name without signs must be retired. A pattern with ``*``, ``?``, ``[...]`` chooses among what is retired; one with
    a colon, and no other, among kept values: ``Shot.sg_cut_in:text``, ``Shot.*:*``.

    Args:
        candidates: as `prunable` gives them.
        ledger: tells why a name cannot be pruned.
        patterns: as in the settings ``include`` and ``exclude``; none with ``before`` means everything.
        before: only what was retired earlier; kept values have no date and are left out.

    Raises:
        PruneError: a name that is not retired or not known, or a pattern that chooses nothing.
        SettingsError: a pattern that means nothing.
    """
    Selection(tuple(pattern.partition(":")[0] for pattern in patterns))
    chosen = set() if patterns else {item for item in candidates if not item.label}
    for pattern in [plain for written in patterns for plain in expand(written)]:
        matching = {item for item in candidates if _matches(item, pattern)}
        if not matching and not _dropped_already(pattern, ledger):
            raise PruneError(pattern, _why_not(pattern, ledger))
        chosen |= matching
    if before is not None:
        chosen = {item for item in chosen if item.since and item.since < before.isoformat()}
    whole = {item.entity_type for item in chosen if not item.field}
    return [item for item in candidates if item in chosen and (not item.field or item.entity_type not in whole)]


def _matches(item: Prunable, pattern: str) -> bool:
    names, _, label = pattern.partition(":")
    entity_type, _, field = names.partition(".")
    if bool(item.label) != bool(label) or bool(item.field) != bool(field):
        return False
    return (
        fnmatchcase(item.entity_type, entity_type) and fnmatchcase(item.field, field) and fnmatchcase(item.label, label)
    )


def _entry(name: str, ledger: SiteSchema) -> EntityType | Field | None:
    entity_type, _, field = name.partition(".")
    known = ledger.entity_types.get(entity_type)
    return known.fields.get(field) if known and field else known


def _dropped_already(name: str, ledger: SiteSchema) -> bool:
    name, _, label = name.partition(":")
    entry, entity_type = _entry(name, ledger), _entry(name.partition(".")[0], ledger)
    if "dropped" in [known.state for known in (entry, entity_type) if known]:
        return True
    return isinstance(entry, Field) and bool(label) and label in entry.pruned


def _why_not(name: str, ledger: SiteSchema) -> str:
    if any(sign in name for sign in "*?["):
        return "nothing that is retired matches."
    if ":" in name:
        return "it has kept no values under that name."
    return "it is on the site." if _entry(name, ledger) else "there is nothing of that name."


def mark_dropped(ledger: SiteSchema, chosen: Iterable[Prunable], today: date) -> SiteSchema:
    """``ledger`` with what was chosen marked: the model no longer has it, so the next revision drops it.

    Args:
        ledger: the snapshot's entries.
        chosen: as `choose` gives them.
        today: the date of the decision.
    """
    entity_types = dict(ledger.entity_types)
    since = today.isoformat()
    for item in chosen:
        entity_type = entity_types[item.entity_type]
        if not item.field:
            fields = {code: replace(field, set_aside=()) for code, field in entity_type.fields.items()}
            entity_types[item.entity_type] = replace(entity_type, state="dropped", since=since, fields=fields)
            continue
        field = entity_type.fields[item.field]
        if item.label:
            field = replace(field, pruned=tuple(sorted({*field.pruned, item.label})))
        else:
            field = replace(field, state="dropped", since=since, set_aside=())
        entity_types[item.entity_type] = replace(entity_type, fields={**entity_type.fields, item.field: field})
    return replace(ledger, entity_types=entity_types)
