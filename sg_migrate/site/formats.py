"""Recognising a schema by its content: every JSON form of a ShotGrid schema to one ``RawSite``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sg_migrate.site.raw import RawSite
from sg_migrate.site.validation import Unreadable, check_code, kind, quoted

_REST_LINK = re.compile(r"/schema/(?P<entity_type>[^/?#]+)")
_REMEDY = (
    "Give a snapshot, shotgrid_orm's JSON, the answer of schema_read(), the REST API's schema, or Mockgun's pickles."
)
_BOTH = (("schema_read", "schema_entity_read"), ("schema", "schema_entity"))
"""Keys under which one JSON object may hold both answers: the calls' names, and the names of Mockgun's files."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A document in the one raw form, and what it was, in words."""

    raw: RawSite
    format: str


def recognise(document: object) -> Recognised:
    """Tell what ``document`` is and bring it to the raw form; raises ``Unreadable`` if it is none of them."""
    if isinstance(document, list) and document and all(_is_rest(part) for part in document):
        return recognise_rest((str(index), part) for index, part in enumerate(document))
    if not isinstance(document, Mapping):
        raise Unreadable("", f"not a ShotGrid schema but {kind(document)}.", _REMEDY)
    if not document:
        raise Unreadable("", "no entity types.", _REMEDY)
    for fields_key, entities_key in _BOTH:
        if fields_key in document and set(document) <= {fields_key, entities_key}:
            return Recognised(
                RawSite(_mapping(document, fields_key), entity_listing(document.get(entities_key) or {})),
                "schema_read() and schema_entity_read() JSON",
            )
    if _is_rest(document):
        return recognise_rest([("", document)])
    if _is_orm(document):
        return Recognised(_from_orm(document), "shotgrid_orm JSON")
    _check_not_listing_only(document)
    return Recognised(RawSite(document), "schema_read() JSON")


def entity_listing(document: object) -> Mapping[str, Any]:
    """The answer of ``schema_entity_read()``, bare or inside a REST document; raises ``Unreadable`` otherwise."""
    if _is_rest(document) and isinstance(document, Mapping):
        document = document["data"]
    if not isinstance(document, Mapping):
        raise Unreadable("", f"not the answer of schema_entity_read() but {kind(document)}.")
    for code, about in document.items():
        if not _is_about(about):
            raise Unreadable(quoted(code), "expected {name, visible} of schema_entity_read().")
    return document


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document[key]
    if not isinstance(value, Mapping):
        raise Unreadable(key, f"expected entity types, found {kind(value)}.")
    return value


def _is_pair(value: object) -> bool:
    return isinstance(value, Mapping) and "value" in value


def _is_field(value: object) -> bool:
    return isinstance(value, Mapping) and "data_type" in value


def _is_about(value: object) -> bool:
    """Whether ``value`` describes an entity type: ``{name: pair, visible: pair}`` or less, and no field."""
    return isinstance(value, Mapping) and all(
        key in ("name", "visible") and (item is None or _is_pair(item)) for key, item in value.items()
    )


def _is_orm(document: Mapping[str, Any]) -> bool:
    """Any field list under the key ``fields``; a raw entity type may itself have a *field* called ``fields``."""
    return any(
        isinstance(about, Mapping) and isinstance(about.get("fields"), Mapping) and not _is_field(about["fields"])
        for about in document.values()
    )


def _from_orm(document: Mapping[str, Any]) -> RawSite:
    for code, about in document.items():
        if not isinstance(about, Mapping) or "fields" not in about:
            raise Unreadable(quoted(code), "an entity type without fields.")
    fields = {code: about["fields"] for code, about in document.items()}
    return RawSite(fields, document)


def _check_not_listing_only(document: Mapping[str, Any]) -> None:
    if any(isinstance(about, Mapping) and any(map(_is_field, about.values())) for about in document.values()):
        return
    if all(_is_about(about) and about for about in document.values()):
        raise Unreadable(
            "", "only entity types, no fields: this is schema_entity_read().", "Give schema_read() with it."
        )
    if not any(_looks_like_fields(about) for about in document.values()):
        raise Unreadable("", "not a ShotGrid schema.", _REMEDY)


def _looks_like_fields(about: object) -> bool:
    """Whether a broken document was at least meant as one: ``schema_read()`` then names the broken place."""
    return isinstance(about, Mapping) and (
        not about or any(isinstance(raw, Mapping) and any(map(_is_pair, raw.values())) for raw in about.values())
    )


def _is_rest(document: object) -> bool:
    return isinstance(document, Mapping) and "data" in document and set(document) <= {"data", "links"}


def recognise_rest(documents: Iterable[tuple[str, Any]]) -> Recognised:
    """REST API answers, each with the name of its part: listings and field lists, of all entity types or of one.

    Raises:
        Unreadable: a part is no such answer, does not tell its entity type, or occurs twice.
    """
    fields: dict[str, Any] = {}
    entities: dict[str, Any] = {}
    for name, document in documents:
        if not _is_rest(document) or not isinstance(document["data"], Mapping):
            raise Unreadable(name, "not an answer of the REST API's schema ({data, links}).", _REMEDY)
        part = _rest_part(name, document)
        if double := sorted(fields.keys() & part.fields.keys()):
            raise Unreadable(name, f"the fields of {quoted(double[0])} occur twice.")
        fields.update(part.fields)
        entities.update(part.entities)
    if entities and not fields:
        raise Unreadable("", "only entity types, no fields.", "Add the answers of /schema/ENTITY/fields.")
    return Recognised(RawSite(fields, entities), "REST API schema JSON")


def _rest_part(name: str, document: Mapping[str, Any]) -> RawSite:
    data = document["data"]
    if not data:
        raise Unreadable(name, "holds no data.")
    if any(map(_is_field, data.values())):
        return RawSite(fields={_rest_entity_type(name, document): data})
    if _is_about(data):
        return RawSite(entities={_rest_entity_type(name, document): data})
    if all(_is_about(about) for about in data.values()):
        return RawSite(entities=data)
    return _from_orm(data) if _is_orm(data) else RawSite(fields=data)


def _rest_entity_type(name: str, document: Mapping[str, Any]) -> str:
    """The entity type of a part: from its fields, its own link, or the name of its file."""
    for raw in document["data"].values():
        if isinstance(raw, Mapping) and _is_pair(raw.get("entity_type")):
            return check_code(str(raw["entity_type"]["value"]), name, "entity type")
    links = document.get("links")
    link = links.get("self") if isinstance(links, Mapping) else links
    if isinstance(link, str) and (match := _REST_LINK.search(link)):
        return match["entity_type"]
    if name[:1].isupper():
        return check_code(name, name, "entity type")
    raise Unreadable(name, "does not tell which entity type it describes.", "Keep its `links`.")
