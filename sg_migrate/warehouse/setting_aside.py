"""Keeping the values that a field has so far apart from those to come: choosing, and marking it in the ledger. Pure.

For what the site uses for another thing now. The old values stay in columns and link tables of their own, as after a
change of type, and the field starts empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from sg_migrate.errors import SetAsideError
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection, expand
from sg_migrate.warehouse import naming
from sg_migrate.warehouse.state import ColumnState, State, TableState


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one field: the columns, or the link table, and the label under which they will be kept."""

    entity_type: str
    field: str
    display_name: str
    label: str
    objects: tuple[str, ...]

    @property
    def name(self) -> str:
        """``Shot.sg_cut_in``."""
        return f"{self.entity_type}.{self.field}"


def choose_values(ledger: SiteSchema, built: State, patterns: Sequence[str]) -> list[Values]:
    """The values that ``patterns`` name, in the order of the ledger; what is set aside already is left out.

    Args:
        ledger: the snapshot's entries.
        built: what the revisions have built.
        patterns: fields and entity types, as in the settings ``include`` and ``exclude``; an entity type stands for
            all its fields. Ids stay where they are: other tables refer to them.

    Raises:
        SetAsideError: a pattern names nothing that is on the site and built.
        SettingsError: a pattern that means nothing.
    """
    Selection(tuple(patterns))
    plain = [one for written in patterns for one in expand(written)]
    fields = [(field, held) for field in _active(ledger) if (held := list(_held(field, built)))]
    for pattern in plain:
        if not any(_matches(field, pattern) for field, _ in fields):
            raise SetAsideError(pattern, _why_not(pattern, ledger))
    return [
        _values(field, held, built)
        for field, held in fields
        if any(_matches(field, pattern) for pattern in plain)
        and not {*field.set_aside}.difference(_labels(field, built), field.pruned)
    ]


def mark_set_aside(ledger: SiteSchema, chosen: Iterable[Values]) -> SiteSchema:
    """``ledger`` with what was chosen marked: the next revision sets it aside."""
    entity_types = dict(ledger.entity_types)
    for item in chosen:
        entity_type = entity_types[item.entity_type]
        field = entity_type.fields[item.field]
        field = replace(field, set_aside=tuple(sorted({*field.set_aside, item.label})))
        entity_types[item.entity_type] = replace(entity_type, fields={**entity_type.fields, item.field: field})
    return replace(ledger, entity_types=entity_types)


def _active(ledger: SiteSchema) -> Iterator[Field]:
    for entity_type in ledger.entity_types.values():
        if entity_type.state == "active":
            yield from (field for field in entity_type.fields.values() if field.state == "active")


def _all(field: Field, built: State) -> Iterator[TableState | ColumnState]:
    """The columns and link tables of a field, those of earlier types among them."""
    for table in built.values():
        if table.mark.entity_type == field.entity_type and table.mark.field == field.code:
            yield table
        elif table.mark.entity_type == field.entity_type and not table.mark.field:
            yield from (column for column in table.columns.values() if column.mark.field == field.code)


def _held(field: Field, built: State) -> Iterator[TableState | ColumnState]:
    """Where the field's values are now; the id is no value."""
    return (item for item in _all(field, built) if not item.mark.former and field.code != "id")


def _labels(field: Field, built: State) -> set[str]:
    return {item.mark.former for item in _all(field, built) if item.mark.former}


def _values(field: Field, held: Sequence[TableState | ColumnState], built: State) -> Values:
    taken = _labels(field, built).union(field.pruned)
    first = held[0]
    label = next(label for label, _ in naming.former_names(first.name, first.mark.data_type) if label not in taken)
    own = next((table.name for table in built.values()
                if table.mark.entity_type == field.entity_type and not table.mark.field), "")  # fmt: skip
    objects = [f"table {item.name}" if isinstance(item, TableState) else f"column {own}.{item.name}" for item in held]
    return Values(field.entity_type, field.code, field.name, label, tuple(objects))


def _matches(field: Field, pattern: str) -> bool:
    entity_type, dot, code = pattern.partition(".")
    return fnmatchcase(field.entity_type, entity_type) and (not dot or fnmatchcase(field.code, code))


def _entry(name: str, ledger: SiteSchema) -> EntityType | Field | None:
    entity_type, dot, field = name.partition(".")
    known = ledger.entity_types.get(entity_type)
    return known.fields.get(field) if known and dot else known


def _why_not(pattern: str, ledger: SiteSchema) -> str:
    entry = _entry(pattern, ledger)
    if entry is None:
        return "there is nothing of that name."
    if entry.state != "active":
        return "the site has it no longer, so no value is to come that it could be kept apart from."
    return "no revision has built anything of it."
