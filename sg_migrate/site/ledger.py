"""The text of a snapshot: one flat JSON object, one line for each entity type and each field.

Every entry line ends in a comma, because a constant last line closes the object: so git merges neighbouring changes
cleanly, and taking both sides of a conflict is still valid JSON (of a repeated entry the last one counts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sg_migrate.errors import SnapshotVersionError
from sg_migrate.site.documents import SNAPSHOT_FORMAT
from sg_migrate.site.raw import KEPT_PROPERTIES, canonical, canonical_text
from sg_migrate.site.schema import EntityType, Field, LedgerState, SiteSchema
from sg_migrate.site.validation import Unreadable, check_code, check_entity_code, kind, quoted

VERSION: Final = "1"

_TEXT, _TEXTS, _FLAG, _ANY, _OBJECT = "a text", "a list of texts", "true or false", "anything", "an object"
_ENTITY_ATTRIBUTES = {"name": _TEXT, "visible": _FLAG, "state": _TEXT, "since": _TEXT}
_FIELD_ATTRIBUTES = {
    "type": _TEXT,
    "name": _TEXT,
    "description": _TEXT,
    "valid_types": _TEXTS,
    "valid_values": _TEXTS,
    "default": _ANY,
    "mandatory": _FLAG,
    "unique": _FLAG,
    "editable": _FLAG,
    "visible": _FLAG,
    "properties": _OBJECT,
    "state": _TEXT,
    "since": _TEXT,
    "pruned": _TEXTS,
    "set_aside": _TEXTS,
}
"""The attributes in the order in which they are written; the values say what each must hold."""

_HEADER = ("format", "host", "end")
_STATES: dict[str, LedgerState] = {"active": "active", "retired": "retired", "dropped": "dropped"}
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Line separators, bidirectional and invisible characters: escaped, so that a line is a line and shows what it holds.

Given as ranges, not by category: the same on every version of Python.
"""


def active(schema: SiteSchema) -> SiteSchema:
    """What the site says according to a ledger: only active entity types, with their active fields."""
    entity_types = {
        code: replace(
            entity_type,
            fields={name: field for name, field in entity_type.fields.items() if field.state == "active"},
        )
        for code, entity_type in schema.entity_types.items()
        if entity_type.state == "active"
    }
    return replace(schema, entity_types=entity_types)


def ledger_text(schema: SiteSchema) -> str:
    """The snapshot file of ``schema``: the same text for the same content, whatever the order it came in.

    Raises:
        Unreadable: a code that the file format cannot hold, or half a character (lone surrogate) in a text.
    """
    lines = [_line("format", SNAPSHOT_FORMAT + VERSION), _line("host", schema.host)]
    for code in sorted(schema.entity_types):
        entity_type = schema.entity_types[code]
        lines.append(_line(check_entity_code(code), _entity_entry(entity_type)))
        for name in sorted(entity_type.fields):
            place = f"{code}.{name}"
            check_code(name, place, "field")
            lines.append(_line(place, _field_entry(entity_type.fields[name])))
    return "{\n" + "".join(f"{line},\n" for line in lines) + '"end": null\n}\n'


def _line(key: str, value: Any) -> str:
    text = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unreadable(key, "holds half a character (a lone surrogate).") from None
    return _HIDDEN.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _entity_entry(entity_type: EntityType) -> dict[str, Any]:
    values = {
        "name": entity_type.name or None,
        "visible": None if entity_type.visible else False,
        "state": None if entity_type.state == "active" else entity_type.state,
        "since": entity_type.since,
    }
    return {key: value for key, value in values.items() if value is not None}


def _field_entry(field: Field) -> dict[str, Any]:
    values: dict[str, Any] = {
        "type": field.data_type,
        "name": field.name or None,
        "description": field.description or None,
        "valid_types": sorted(set(field.valid_types)) or None,
        "valid_values": list(field.valid_values) or None,
        "default": canonical(field.default),
        "mandatory": field.mandatory or None,
        "unique": field.unique or None,
        "editable": None if field.editable else False,
        "visible": None if field.visible else False,
        "properties": {key: canonical(json.loads(text)) for key, text in sorted(field.properties)} or None,
        "state": None if field.state == "active" else field.state,
        "since": field.since,
        "pruned": sorted(set(field.pruned)) or None,
        "set_aside": sorted(set(field.set_aside)) or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def read_ledger(document: Mapping[str, Any], source: str) -> SiteSchema:
    """The ledger in a parsed snapshot file: every entry with its state.

    Raises:
        SnapshotVersionError: written by a version of sg_migrate that knows more.
        Unreadable: anything else that ``ledger_text`` would not have written: an unknown attribute, a field without
            its entity type, a bad state or date, a missing header.
    """
    host = _check_header(document, source)
    entity_types: dict[str, EntityType] = {}
    fields: dict[str, dict[str, Field]] = {}
    for key in sorted(document.keys() - set(_HEADER)):
        code, dot, name = key.partition(".")
        entry = document[key]
        if not isinstance(entry, Mapping):
            raise Unreadable(quoted(key), f"expected an entity type or a field, found {kind(entry)}.")
        if dot:
            if code not in entity_types:
                raise Unreadable(
                    quoted(key), f"a field without its entity type: the line of {quoted(code)} is missing."
                )
            fields[code][name] = _read_field(code, name, entry)
        else:
            fields[code] = {}
            entity_types[code] = _read_entity_type(code, entry, fields[code])
    return SiteSchema(entity_types, host)


def _check_header(document: Mapping[str, Any], source: str) -> str | None:
    version = document["format"].removeprefix(SNAPSHOT_FORMAT)
    if version != VERSION:
        raise SnapshotVersionError(
            source, f"format {quoted(document['format'])!r}; this sg_migrate knows {VERSION}.", "Update sg_migrate."
        )
    for key in _HEADER:
        if key not in document:
            raise Unreadable("", f"the line {key!r} is missing.", "Restore it from git.")
    if document["end"] is not None:
        raise Unreadable("end", "must be null.")
    host = document["host"]
    if host is not None and not isinstance(host, str):
        raise Unreadable("host", f"is {kind(host)}, not a text.")
    return host


def _read_entity_type(code: str, entry: Mapping[str, Any], fields: Mapping[str, Field]) -> EntityType:
    check_entity_code(code)
    _check_attributes(code, entry, _ENTITY_ATTRIBUTES)
    state, since = _read_state(code, entry)
    return EntityType(code, entry.get("name", ""), entry.get("visible", True), fields, state, since)


def _read_field(entity_type: str, code: str, entry: Mapping[str, Any]) -> Field:
    place = f"{entity_type}.{code}"
    check_code(code, place, "field")
    _check_attributes(place, entry, _FIELD_ATTRIBUTES)
    if not entry.get("type"):
        raise Unreadable(place, "no type.")
    state, since = _read_state(place, entry)
    return Field(
        entity_type=entity_type,
        code=code,
        data_type=check_code(entry["type"], f"{place}: type {quoted(entry['type'])}", "data type"),
        name=entry.get("name", ""),
        description=entry.get("description", ""),
        valid_types=tuple(sorted(set(entry.get("valid_types", ())))),
        valid_values=tuple(entry.get("valid_values", ())),
        default=canonical(entry.get("default")),
        mandatory=entry.get("mandatory", False),
        unique=entry.get("unique", False),
        editable=entry.get("editable", True),
        visible=entry.get("visible", True),
        properties=_read_properties(place, entry.get("properties", {})),
        state=state,
        since=since,
        pruned=tuple(sorted(set(entry.get("pruned", ())))),
        set_aside=tuple(sorted(set(entry.get("set_aside", ())))),
    )


def _read_properties(place: str, properties: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for key in properties:
        if key not in KEPT_PROPERTIES:
            raise Unreadable(place, f"unknown property {quoted(key)!r}.")
    return tuple((key, canonical_text(value)) for key, value in sorted(properties.items()))


def _read_state(place: str, entry: Mapping[str, Any]) -> tuple[LedgerState, str | None]:
    state, since = entry.get("state", "active"), entry.get("since")
    if state not in _STATES:
        raise Unreadable(place, f"unknown state {quoted(state)!r}; known are {', '.join(_STATES)}.")
    if (state == "active") != (since is None):
        raise Unreadable(place, "`since` belongs to retired and dropped entries, and to all of them.")
    if since is not None and not _is_date(since):
        raise Unreadable(place, f"since {quoted(since)!r} is not a date (YYYY-MM-DD).")
    return _STATES[state], since


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_attributes(place: str, entry: Mapping[str, Any], known: Mapping[str, str]) -> None:
    for key, value in entry.items():
        if key not in known:
            raise Unreadable(place, f"unknown attribute {quoted(key)!r}.")
        if not _fits(value, known[key]):
            raise Unreadable(place, f"{key} is {kind(value)}, not {known[key]}.")


def _fits(value: object, what: str) -> bool:
    if what is _TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return what is _ANY or isinstance(value, {_TEXT: str, _FLAG: bool, _OBJECT: dict}[what])
