"""ShotGrid's raw schema, ``{value, editable}`` pairs in dictionaries, to ``SiteSchema``.

Every source format is first brought to one form (``RawSite``); this is the only place that reads a pair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sg_migrate.site.schema import JSON, EntityType, Field, SiteSchema
from sg_migrate.site.validation import Unreadable, check_code, check_entity_code, kind, quoted

KEPT_PROPERTIES = ("calculated_function", "display_values", "query", "renderer")
"""The properties that give a field its meaning beside its type; the others are about its looks."""


@dataclass(frozen=True, slots=True)
class RawSite:
    """What ``schema_read()`` and ``schema_entity_read()`` return, whatever the way they came."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    entities: Mapping[str, Any] = field(default_factory=dict)


def site_schema(raw: RawSite, host: str | None = None) -> SiteSchema:
    """The canonical ``SiteSchema`` of ``raw``; raises ``Unreadable`` with the place of the first problem.

    Entity types are those that have fields; one that only the entity listing knows is left out.
    """
    if not raw.fields:
        raise Unreadable("", "no entity types.", "This file holds no ShotGrid schema.")
    entity_types = {code: _entity_type(code, raw.entities.get(code), raw.fields[code]) for code in sorted(raw.fields)}
    return SiteSchema(entity_types, host)


def _entity_type(code: str, about: object, fields: object) -> EntityType:
    check_entity_code(code)
    if not isinstance(fields, Mapping):
        raise Unreadable(code, f"expected its fields, found {kind(fields)}.")
    if not fields:
        raise Unreadable(code, "an entity type without fields.", "Read the schema again with a key that sees it.")
    about = {} if about is None else about
    if not isinstance(about, Mapping):
        raise Unreadable(code, f"expected its name, found {kind(about)}.")
    return EntityType(
        code=code,
        name=_text(about, "name", code),
        visible=_flag(about, "visible", code, default=True),
        fields={name: raw_field(code, name, fields[name]) for name in sorted(fields)},
    )


def raw_field(entity_type: str, code: str, raw: object) -> Field:
    """One field of a raw schema; raises ``Unreadable`` naming it when it is not one."""
    place = f"{entity_type}.{code}"
    check_code(code, place, "field")
    if not isinstance(raw, Mapping):
        raise Unreadable(place, f"expected a field, found {kind(raw)}.")
    properties = raw.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise Unreadable(place, f"properties is {kind(properties)}.")
    return Field(
        entity_type=entity_type,
        code=code,
        data_type=_data_type(raw, place),
        name=_text(raw, "name", place),
        description=_text(raw, "description", place),
        valid_types=tuple(sorted(set(_texts(properties, "valid_types", place)))),
        valid_values=_texts(properties, "valid_values", place),
        default=canonical(_value(properties, "default_value", place)),
        mandatory=_flag(raw, "mandatory", place, default=False),
        unique=_flag(raw, "unique", place, default=False),
        editable=_flag(raw, "editable", place, default=True),
        visible=_flag(raw, "visible", place, default=True),
        properties=_kept_properties(properties, place),
    )


def _kept_properties(properties: Mapping[str, Any], place: str) -> tuple[tuple[str, str], ...]:
    values = {key: _value(properties, key, place) for key in KEPT_PROPERTIES}
    labels = values["display_values"]
    if isinstance(labels, Mapping):  # of a value that is shown as it is, nothing is said
        values["display_values"] = {value: label for value, label in labels.items() if label != value}
    return tuple((key, canonical_text(value)) for key, value in values.items() if value not in (None, "", {}))


def canonical_text(value: Any) -> str:
    """``value`` as JSON text, the same for the same content: sorted keys, no spaces, few escapes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> JSON:
    """``value`` as JSON would give it back: lists for tuples, keys in order."""
    result: JSON = json.loads(canonical_text(value))
    return result


def _data_type(raw: Mapping[str, Any], place: str) -> str:
    data_type = _text(raw, "data_type", place)
    if not data_type:
        raise Unreadable(place, "no data_type.", "Read the schema again; every field of a site has one.")
    return check_code(data_type, f"{place}: data_type {quoted(data_type)}", "data type")


def _value(pairs: Mapping[str, Any], key: str, place: str) -> Any:
    pair = pairs.get(key)
    if pair is None:
        return None
    if not isinstance(pair, Mapping) or "value" not in pair:
        raise Unreadable(place, f"{key} is {kind(pair)}, not a {{value, editable}} pair.")
    return pair["value"]


def _text(pairs: Mapping[str, Any], key: str, place: str) -> str:
    value = _value(pairs, key, place)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(place, f"{key} is {kind(value)}, not a text.")
    return value


def _flag(pairs: Mapping[str, Any], key: str, place: str, *, default: bool) -> bool:
    value = _value(pairs, key, place)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Unreadable(place, f"{key} is {kind(value)}, not true or false.")
    return value


def _texts(pairs: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    values = _value(pairs, key, place)
    if values is None:
        return ()
    if not isinstance(values, list | tuple):
        raise Unreadable(place, f"{key} is {kind(values)}, not a list.")
    texts = tuple(value for value in values if value is not None)
    for text in texts:
        if not isinstance(text, str):
            raise Unreadable(place, f"{key} holds {kind(text)}, not only texts.")
    return texts
