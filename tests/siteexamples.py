"""Schemas for the tests of the site side: one by hand in every form in which it is read, and any by hypothesis."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Any

from hypothesis import strategies as st
from sites import field, site_of
from testsite import raw_schema

from sg_migrate.site.raw import canonical_text
from sg_migrate.site.schema import EntityType, Field, LedgerState, SiteSchema

SMALL = site_of(
    field("Asset.code", name="Asset Name", mandatory=True, unique=True),
    field("Asset.sg_hero", "checkbox", name="Hero", default=False, visible=False),
    field("Shot.assets", "multi_entity", name="Assets", valid_types=("Asset", "Banner")),
    field("Shot.code", name="Shot Code", description="How the shot is called\n— by everybody", editable=False),
    field(
        "Shot.sg_length",
        "calculated",
        name="",
        properties=(("calculated_function", '"{a} - {b}"'), ("renderer", '"number"')),
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


def _words(first: str, others: str, most: int) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(first), st.text(others, max_size=most)).map("".join)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["\u2028", "a\u0085b", "\u202edlo", '"\\\n\r\t\x00\x1b', "\x7f", "é\U0001f3ac\U000e0041", "<<<<<<< HEAD", "\ufeff"]
)
_codes = _words(ascii_uppercase, ascii_letters + digits + "_", 3)
_names = _words(ascii_lowercase, ascii_lowercase + digits + "_", 4)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
_types = st.sampled_from(["text", "number", "entity", "multi_entity", "list", "calculated", "checkbox", "never_seen"])


_fields = st.builds(
    Field,
    entity_type=st.just(""),
    code=st.just(""),
    data_type=_types,
    name=texts,
    description=texts,
    valid_types=st.sets(_codes, max_size=3).map(lambda codes: tuple(sorted(codes))),
    valid_values=st.lists(texts, max_size=3).map(tuple),
    default=_plain.map(canonical_text).map(json.loads),
    mandatory=st.booleans(),
    unique=st.booleans(),
    editable=st.booleans(),
    visible=st.booleans(),
    properties=st.dictionaries(
        st.sampled_from(["calculated_function", "query", "renderer"]),
        texts.filter(bool).map(canonical_text),
        max_size=2,
    ).map(lambda properties: tuple(sorted(properties.items()))),
)
_entity_types = st.builds(
    EntityType, code=st.just(""), name=texts, visible=st.booleans(),
    fields=st.dictionaries(_names, _fields, min_size=1, max_size=4),
)  # fmt: skip


def _placed(found: Mapping[str, EntityType]) -> SiteSchema:
    """A schema in order, where every entry knows its place."""
    entity_types = {}
    for code in sorted(found):
        fields = {name: replace(one, entity_type=code, code=name) for name, one in sorted(found[code].fields.items())}
        entity_types[code] = replace(found[code], code=code, fields=fields)
    return SiteSchema(entity_types)


def site_schemas() -> st.SearchStrategy[SiteSchema]:
    """Plain schemas: everything active, every entity type with at least one field, no host."""
    return st.dictionaries(_codes, _entity_types, min_size=1, max_size=4).map(_placed)


_states: st.SearchStrategy[LedgerState] = st.sampled_from(["active", "retired", "dropped"])
_days = st.dates().map(str)


@st.composite
def ledgers(draw: st.DrawFn) -> SiteSchema:
    """Schemas whose entries are active, retired or dropped."""

    def stated(entry: Any) -> Any:
        state = draw(_states)
        return replace(entry, state=state, since=None if state == "active" else draw(_days))

    schema = draw(site_schemas())
    entity_types = {
        code: stated(replace(entity_type, fields={name: stated(one) for name, one in entity_type.fields.items()}))
        for code, entity_type in schema.entity_types.items()
    }
    return SiteSchema(entity_types, draw(st.none() | st.just("studio.shotgrid.autodesk.com")))
