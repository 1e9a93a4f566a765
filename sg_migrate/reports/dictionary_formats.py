"""The dictionary for other readers: Markdown for a repository, JSON for programs, a ``sources.yml`` for dbt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sg_migrate.dictionary.entries import Dictionary, EntityEntry, FieldEntry
from sg_migrate.reports.dictionary_page import kind
from sg_migrate.reports.document import Block, Cell, Document, Heading, Name, Paragraph, Table
from sg_migrate.reports.markdown import whole
from sg_migrate.reports.usage_report import use_words
from sg_migrate.warehouse.model import LINK_TABLE_COMMENTS


def markdown(dictionary: Dictionary) -> str:
    """One document: a heading and a table for each entity type."""
    title = f"Dictionary of {dictionary.host}" if dictionary.host else "Dictionary"
    blocks: list[Block] = [Heading((title,), 1)]
    for entry in dictionary.entities.values():
        blocks += _entity(entry)
    return whole(Document(title, tuple(blocks)))


def _entity(entry: EntityEntry) -> Iterator[Block]:
    yield Heading((Name(entry.name), *([] if entry.name == entry.code else [Name(entry.code)])))
    words: list[Any] = ["Table", Name(entry.table)]
    words += ["; retired"] if entry.state != "active" else []
    words += [f"; {use_words(entry.use)}"] if entry.use else []
    yield Paragraph(tuple(words))
    rows = tuple(_field(field) for field in entry.fields)
    yield Table(("Field", "Name", "Type", "In SQL", "Description"), rows)


def _field(field: FieldEntry) -> tuple[Cell, ...]:
    places = (*field.columns, *([field.link_table] if field.link_table else []))
    leads = "any" if field.leads_anywhere else ", ".join(field.targets)
    words = [field.description] if field.description else []
    words += [f"values: {', '.join(value for value, _ in field.values)}"] if field.values else []
    words += ["retired"] if field.state != "active" else []
    words += [use_words(field.use)] if field.use else []
    words += field.changed
    return (
        (Name(field.code),),
        (Name(field.name),),
        (kind(field), "to", Name(leads)) if leads else (kind(field),),
        tuple(Name(place) for place in places),
        (Name("; ".join(words)),),
    )


def json_text(dictionary: Dictionary) -> str:
    """All of it, by entity type."""
    return json.dumps(asdict(dictionary), indent=1, ensure_ascii=False)


def dbt(dictionary: Dictionary, schema: str = "") -> str:
    """A ``sources.yml`` of dbt: descriptions, ``accepted_values`` of lists, ``relationships`` of links to one type.

    JSON is YAML: every text is quoted, and nothing of a site's is ever read as markup or as Jinja.
    """
    tables = [table for entry in dictionary.entities.values() for table in _dbt_tables(entry, dictionary)]
    # Without a schema dbt looks in one that is called as the source is.
    source: dict[str, Any] = {"name": "shotgrid", "schema": schema or "{{ target.schema }}", "tables": tables}
    if dictionary.host:
        source["description"] = _plain(f"The warehouse of {dictionary.host}")
    return json.dumps({"version": 2, "sources": [source]}, indent=1, ensure_ascii=False)


_JINJA = re.compile(r"\{(?=[{%#])")


def _plain(text: str) -> str:
    """A text that dbt's Jinja leaves alone: what opens something there is opened apart."""
    return _JINJA.sub("{ ", text)


def _dbt_tables(entry: EntityEntry, dictionary: Dictionary) -> Iterator[dict[str, Any]]:
    """The table of an entity type, and those of its lists of links."""
    columns = [column for field in entry.fields for column in _dbt_columns(field, dictionary)]
    yield {"name": entry.table, "description": _plain(entry.name), "columns": columns}
    for field in entry.fields:
        if field.link_table:
            rows = [{"name": name, "description": text} for name, text in LINK_TABLE_COMMENTS.items()]
            owner = {**rows[0], "data_tests": [_related(entry.table)]}
            about = _plain(f"{entry.name}: {field.name}")
            yield {"name": field.link_table, "description": about, "columns": [owner, *rows[1:]]}


def _related(table: str) -> dict[str, Any]:
    return {"relationships": {"arguments": {"to": f"source('shotgrid', '{table}')", "field": "id"}}}


def _dbt_columns(field: FieldEntry, dictionary: Dictionary) -> Iterator[dict[str, Any]]:
    about = _plain(": ".join(filter(None, (field.name, field.description))))
    for name in field.columns:
        column: dict[str, Any] = {"name": name, "description": about}
        tests: list[Any] = []
        if name == "id":
            tests = ["unique", "not_null"]
        elif field.values and field.state == "active" and not any(_JINJA.search(value) for value, _ in field.values):
            # dbt puts a value between apostrophes as it is.
            values = [value.replace("'", "''") for value, _ in field.values]
            tests = [{"accepted_values": {"arguments": {"values": values}}}]
        elif name.endswith("_id") and len(field.targets) == 1 and field.targets[0] in dictionary.entities:
            tests = [_related(dictionary.entities[field.targets[0]].table)]
        yield {**column, "data_tests": tests} if tests else column
