"""A dictionary of what the revisions have built, or of a schema alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from alembic.script import Script

from sg_migrate.database.usage import Use
from sg_migrate.dictionary.entries import Dictionary, EntityEntry, FieldEntry, TimelineEntry
from sg_migrate.revisions.in_site_terms import attributed
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.summary import created, lines_of
from sg_migrate.settings import Settings
from sg_migrate.site.attribution import Attribution, Attributions, by
from sg_migrate.site.events import SchemaEvent
from sg_migrate.site.raw import canonical_text
from sg_migrate.site.redaction import redacted
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.text import clean, plural
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import ColumnState, State, TableState
from sg_migrate.warehouse.transition import transition


def project_dictionary(project: Project, uses: Iterable[Use] = ()) -> Dictionary:
    """The dictionary of a project: its tables as built, its snapshot's texts, its revisions as a timeline.

    Args:
        project: the project.
        uses: how what there is is used, if a warehouse was asked.
    """
    site = project.shown(project.required_snapshot().schema)
    known = project.events()
    since: dict[str, str] = {}
    timeline: list[TimelineEntry] = []
    for step in project.history().upgrades():
        entry = _timeline_entry(step.revision)
        if known and step.before:
            stood_on = timeline[-1].date if timeline else ""
            lines = lines_of(transition(step.before, step.after))
            entry = replace(entry, by=_by(attributed(lines, site, known, entry.date, stood_on).values()))
        timeline.append(entry)
        for table in step.after.values():
            if table is not step.before.get(table.name):
                for place in (table.mark.place, *(column.mark.place for column in table.columns.values())):
                    since.setdefault(place, entry.date)
    entities = _entities(project.built, site, since)
    if known:
        entities = _with_events(entities, Attributions(known))
    return Dictionary(site.host or "", _with_uses(entities, uses), tuple(reversed(timeline)))


def schema_dictionary(site: SiteSchema, settings: Settings) -> Dictionary:
    """The dictionary of a schema: its tables as the first revision would build them."""
    site = redacted(site, settings.redact)
    return Dictionary(site.host or "", _entities(build_state(site, settings, {}), site, {}))


def _with_uses(entities: Mapping[str, EntityEntry], uses: Iterable[Use]) -> dict[str, EntityEntry]:
    found = {one.place: one for one in uses}
    return {
        code: replace(entry, use=found.get(code), fields=tuple(
            replace(field, use=found.get(f"{code}.{field.code}")) for field in entry.fields
        ))
        for code, entry in entities.items()
    }  # fmt: skip


def _by(attributions: Iterable[Attribution]) -> tuple[str, ...]:
    """``by Jane Doe, 2026-11-19 (3 changes)``, those with the most first."""
    counts = Counter(one.words for one in attributions if one.events)
    return tuple(f"{words} ({plural(count, 'change')})" for words, count in counts.most_common())


def _with_events(entities: Mapping[str, EntityEntry], found: Attributions) -> dict[str, EntityEntry]:
    """The same with what the site's log says of each field; a column of ours is no field of the site."""
    return {
        code: replace(entry, fields=tuple(
            replace(field, changed=tuple(map(_event, found.of_field(code, field.name)))) if field.data_type else field
            for field in entry.fields
        ))
        for code, entry in entities.items()
    }  # fmt: skip


def _event(event: SchemaEvent) -> str:
    """``by Jane Doe, 2026-11-19: display name "Cut In" -> "First Frame"``."""
    what = "display name" if event.attribute == "human_name" else event.attribute
    words = {"new": "made", "retirement": "deleted"}.get(event.kind, what)
    if event.attribute in ("human_name", "data_type"):
        words = f'{words} "{event.old}" -> "{event.new}"'
    return f"{by(event)}: {words}"


def _timeline_entry(script: Script) -> TimelineEntry:
    """A revision with what its docstring says happened."""
    doc = script.module.__doc__ or script.doc or ""
    told = doc.partition("\nRevision ID:")[0].strip().splitlines()
    lines = tuple(clean_line for line in told[1:] if (clean_line := _one_line(line)))
    return TimelineEntry(script.revision, created(script), clean(told[0]) if told else "", lines)


def _one_line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    text = clean(line)
    return " " * indent + text if text else ""


def _entities(built: State, site: SiteSchema, since: Mapping[str, str]) -> dict[str, EntityEntry]:
    own = {table.mark.entity_type: table for table in built.values() if not table.mark.field}
    lists: dict[str, list[TableState]] = {}
    for table in built.values():
        if table.mark.field and table.mark.entity_type != CATALOG:
            lists.setdefault(table.mark.entity_type, []).append(table)
    entities = {}
    for code in sorted(own.keys() - {CATALOG}):
        entity_type = site.entity_types.get(code) or EntityType(code)
        fields = tuple(_fields(own[code], lists.get(code, ()), entity_type, since))
        retired = own[code].mark.retired or entity_type.state != "active"
        day = (entity_type.since or "") if retired else since.get(code, "")
        name = clean(entity_type.name or code)
        entities[code] = EntityEntry(code, name, own[code].name, "retired" if retired else "active", day, fields, {})
    return {code: replace(entry, linked_from=links) for (code, entry), links in
            zip(entities.items(), _linked_from(entities), strict=True)}  # fmt: skip


def _fields(
    table: TableState, lists: Iterable[TableState], entity_type: EntityType, since: Mapping[str, str]
) -> Iterator[FieldEntry]:
    columns: dict[str, list[ColumnState]] = {}
    kept: dict[str, list[str]] = {}
    for column in table.columns.values():
        if column.mark.former:
            kept.setdefault(column.mark.field, []).append(column.name)
        else:
            columns.setdefault(column.mark.code, []).append(column)
    link_tables = {}
    for rows in lists:
        if rows.mark.former:
            kept.setdefault(rows.mark.field, []).append(rows.name)
        else:
            link_tables[rows.mark.field] = rows
    for code in sorted({*columns, *link_tables, *kept}, key=lambda code: (code != "id", code)):
        marks = [one.mark for one in (*columns.get(code, ()), *([link_tables[code]] if code in link_tables else []))]
        yield _field(
            entity_type.fields.get(code) or Field(entity_type.code, code, marks[0].data_type if marks else ""),
            ours=bool(marks) and not marks[0].field,
            retired=any(mark.retired for mark in marks) or not marks,
            columns=tuple(sorted(column.name for column in columns.get(code, ()))),
            link_table=link_tables[code].name if code in link_tables else "",
            comment=next((column.comment or "" for column in columns.get(code, ())), ""),
            kept=tuple(sorted(kept.get(code, ()))),
            built_on=since.get(f"{entity_type.code}.{code}", ""),
        )


def _field(
    field: Field, *, ours: bool, retired: bool, columns: tuple[str, ...], link_table: str, comment: str,
    kept: tuple[str, ...], built_on: str,
) -> FieldEntry:  # fmt: skip
    if ours:
        return FieldEntry(columns[0], "", clean(comment), "", columns, since=built_on)
    retired = retired or field.state != "active"
    labels = field.value_labels
    return FieldEntry(
        field.code,
        clean(field.name or field.code),
        clean(field.description),
        clean(field.data_type),
        columns,
        link_table,
        field.valid_types,
        tuple((clean(value), clean(labels.get(value, ""))) for value in field.valid_values),
        "" if field.default is None else clean(_text(field.default)),
        field.editable,
        field.mandatory,
        "retired" if retired else "active",
        (field.since or "") if retired else built_on,
        kept,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else canonical_text(value)


def _linked_from(entities: Mapping[str, EntityEntry]) -> list[dict[str, tuple[str, ...]]]:
    """For each entity type the fields that lead to it, with the entity types that have them."""
    found: dict[str, dict[str, list[str]]] = {code: {} for code in entities}
    for entry in entities.values():
        for field in entry.fields:
            if entry.state == field.state == "active" and not field.leads_anywhere:
                for target in field.targets:
                    if target in found:
                        found[target].setdefault(field.code, []).append(entry.code)
    return [{code: tuple(owners) for code, owners in sorted(links.items())} for links in found.values()]
