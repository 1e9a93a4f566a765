"""Schemas for the tests of the site side: by hand, by hypothesis, and those of a real site where they are at hand."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from testsite import raw_schema

from sg_migrate.site.raw import canonical_text
from sg_migrate.site.schema import EntityType, Field, SiteSchema, State

_REPOSITORY = Path(__file__).resolve().parents[2]
_REAL = Path(os.environ.get("SG_MIGRATE_REAL_SCHEMAS", _REPOSITORY.parent / "shared" / "real_schemas"))
REAL_STATES = sorted(_REAL.glob("*.json"))
"""One real site's schema through the years, in shotgrid_orm's JSON; empty where the machine lacks them."""

SAMPLE_STATES = sorted((_REPOSITORY / "sample_schemas").glob("*.json"))


def field(place: str, data_type: str = "text", **attributes: Any) -> Field:
    entity_type, code = place.split(".")
    return Field(entity_type, code, data_type, **attributes)


def site(*fields: Field, host: str | None = None, names: Mapping[str, str] | None = None) -> SiteSchema:
    """A schema of these fields."""
    types: dict[str, dict[str, Field]] = {}
    for one in fields:
        types.setdefault(one.entity_type, {})[one.code] = one
    names = names or {}
    return SiteSchema(
        {
            code: EntityType(code, names.get(code, code), True, dict(sorted(types[code].items())))
            for code in sorted(types)
        },
        host,
    )


SMALL = site(
    field("Asset.code", name="Asset Name", mandatory=True, unique=True),
    field("Asset.sg_hero", "checkbox", name="Hero", default=False, visible=False),
    field("Shot.assets", "multi_entity", name="Assets", valid_types=("Asset", "Banner")),
    field("Shot.code", name="Shot Code", description="How the shot is called\n— by everybody", editable=False),
    field(
        "Shot.sg_length", "calculated", properties=(("calculated_function", '"{a} - {b}"'), ("renderer", '"number"'))
    ),
    field("Shot.sg_status_list", "status_list", name="Status", valid_values=("wtg", "ip", "fin"), default="wtg"),
    names={"Asset": "Asset", "Shot": "Shot \U0001f3ac"},
)
"""One of each kind of attribute."""

SMALL_FIELDS, SMALL_ENTITIES = raw_schema(SMALL)


def orm_document(fields: Mapping[str, Any], entities: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema as shotgrid_orm writes it."""
    return {code: {**entities.get(code, {}), "fields": fields[code]} for code in fields}


def rest_documents(fields: Mapping[str, Any], entities: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema as answers of the REST API, by file name: the listing, and the fields of each type."""
    documents = {"schema": {"data": entities, "links": {"self": "/api/v1/schema"}}}
    for code, raw in fields.items():
        documents[f"{code}-fields"] = {"data": raw, "links": {"self": f"/api/v1/schema/{code}/fields"}}
    return documents


def shuffled(value: Any, seed: int) -> Any:
    """The same data with the keys of every object, and the order of valid types, in another order."""
    order = random.Random(seed)
    if isinstance(value, dict):
        keys = order.sample(list(value), len(value))
        return {key: _shuffled_types(key, shuffled(value[key], seed), order) for key in keys}
    return [shuffled(item, seed) for item in value] if isinstance(value, list) else value


def _shuffled_types(key: str, value: Any, order: random.Random) -> Any:
    if key == "valid_types" and isinstance(value, dict) and value.get("value"):
        return {**value, "value": order.sample(value["value"], len(value["value"]))}
    return value


def turned(schema: SiteSchema) -> SiteSchema:
    """The same schema with its entity types and fields in the opposite order."""
    return replace(
        schema,
        entity_types={
            code: replace(
                schema.entity_types[code], fields=dict(reversed(list(schema.entity_types[code].fields.items())))
            )
            for code in reversed(list(schema.entity_types))
        },
    )


def write_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["\u2028", "a\u0085b", "\u202edlo", '"\\\n\r\t\x00\x1b', "\x7f", "é\U0001f3ac\U000e0041", "<<<<<<< HEAD", "\ufeff"]
)
_codes = st.from_regex(r"[A-Z][A-Za-z0-9_]{0,3}", fullmatch=True)
_names = st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
_types = st.sampled_from(["text", "number", "entity", "multi_entity", "list", "calculated", "checkbox", "never_seen"])


@st.composite
def _fields(draw: st.DrawFn, entity_type: str, code: str) -> Field:
    properties = draw(st.dictionaries(st.sampled_from(["calculated_function", "query", "renderer"]), texts, max_size=2))
    return Field(
        entity_type=entity_type,
        code=code,
        data_type=draw(_types),
        name=draw(texts),
        description=draw(texts),
        valid_types=tuple(sorted(draw(st.sets(_codes, max_size=3)))),
        valid_values=tuple(draw(st.lists(texts, max_size=3))),
        default=json.loads(canonical_text(draw(_plain))),
        mandatory=draw(st.booleans()),
        unique=draw(st.booleans()),
        editable=draw(st.booleans()),
        visible=draw(st.booleans()),
        properties=tuple(sorted((key, canonical_text(text)) for key, text in properties.items() if text)),
    )


@st.composite
def site_schemas(draw: st.DrawFn) -> SiteSchema:
    """Plain schemas: everything active, every entity type with at least one field, no host."""
    entity_types = {}
    for code in sorted(draw(st.sets(_codes, min_size=1, max_size=4))):
        names = sorted(draw(st.sets(_names, min_size=1, max_size=4)))
        fields = {name: draw(_fields(code, name)) for name in names}
        entity_types[code] = EntityType(code, draw(texts), draw(st.booleans()), fields)
    return SiteSchema(entity_types)


@st.composite
def ledgers(draw: st.DrawFn) -> SiteSchema:
    """Schemas whose entries are active, retired or dropped."""
    schema = draw(site_schemas())
    states: st.SearchStrategy[State] = st.sampled_from(["active", "retired", "dropped"])
    days = st.dates().map(str)

    def stated(entry: Any) -> Any:
        state = draw(states)
        return replace(entry, state=state, since=None if state == "active" else draw(days))

    entity_types = {
        code: stated(replace(entity_type, fields={name: stated(one) for name, one in entity_type.fields.items()}))
        for code, entity_type in schema.entity_types.items()
    }
    return SiteSchema(entity_types, draw(st.none() | st.just("studio.shotgrid.autodesk.com")))
