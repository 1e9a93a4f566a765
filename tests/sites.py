"""Sites for tests: in a line of Python each, an invented studio's, and a real one's where the machine has it.

site(Shot={"code": "text", "sg_cut_in": "number Cut In", "sg_lead": "entity:HumanUser,Group Lead"})
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sg_migrate import EntityType, Field, SiteSchema

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLES = sorted((REPOSITORY / "sample_schemas").glob("*.json"))
"""An invented studio's schema through two years."""
REAL = sorted(Path(os.environ.get("SG_MIGRATE_REAL_SCHEMAS", REPOSITORY.parent / "shared/real_schemas")).glob("*.json"))
"""One real site's schema through the years, in shotgrid_orm's JSON; empty where the machine lacks them."""
HOST = "studio.example.com"


def field(place: str, text: str = "text", **attributes: Any) -> Field:
    """``number Cut In`` is a number called "Cut In"; ``entity:Shot,Asset`` may link to two types."""
    entity_type, _, code = place.partition(".")
    kind, _, name = text.partition(" ")
    data_type, _, types = kind.partition(":")
    given = {"name": name or code, "valid_types": tuple(sorted(types.split(","))) if types else (), **attributes}
    return Field(entity_type, code, data_type, **given)


def site(types: Mapping[str, Mapping[str, str | Field]] | None = None, **more: Mapping[str, str | Field]) -> SiteSchema:
    """What a site says: entity types with their fields, each a `Field` or as `field` reads it; every type has an id."""
    entity_types = {}
    for code, fields in sorted({**(types or {}), **more}.items()):
        known = {
            name: text if isinstance(text, Field) else field(f"{code}.{name}", text)
            for name, text in sorted({"id": "number Id", **fields}.items())
        }
        entity_types[code] = EntityType(code, name=code, fields=known)
    return SiteSchema(entity_types, HOST)


def site_of(*fields: Field, host: str | None = None, names: Mapping[str, str] | None = None) -> SiteSchema:
    """A site of these fields and no others; ``names`` are display names of entity types."""
    types: dict[str, dict[str, Field]] = {}
    for one in fields:
        types.setdefault(one.entity_type, {})[one.code] = one
    found = {
        code: EntityType(code, (names or {}).get(code, code), fields=dict(sorted(types[code].items())))
        for code in sorted(types)
    }
    return SiteSchema(found, host)


def without(schema: SiteSchema, *names: str) -> SiteSchema:
    """``schema`` as it is when somebody put fields (``Shot.sg_old``) or entity types (``Shot``) into the trash."""
    entity_types = dict(schema.entity_types)
    for name in names:
        code, _, gone = name.partition(".")
        if not gone:
            del entity_types[code]
            continue
        kept = {key: value for key, value in entity_types[code].fields.items() if key != gone}
        entity_types[code] = replace(entity_types[code], fields=kept)
    return replace(schema, entity_types=entity_types)


def changed(schema: SiteSchema, place: str, **attributes: Any) -> SiteSchema:
    """``schema`` with other attributes of a field (``Shot.sg_old``) or an entity type (``Shot``)."""
    code, _, name = place.partition(".")
    entity_type = schema.entity_types[code]
    if name:
        fields = {**entity_type.fields, name: replace(entity_type.fields[name], **attributes)}
        entity_type = replace(entity_type, fields=fields)
    else:
        entity_type = replace(entity_type, **attributes)
    return replace(schema, entity_types={**schema.entity_types, code: entity_type})
