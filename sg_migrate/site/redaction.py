"""Texts of the site that stay out of everything that is written or shown: the field is there, its texts are not."""

from __future__ import annotations

from dataclasses import replace

from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.selection import Selection


class Redaction:
    """What the setting ``redact`` says of entity types and fields.

    Args:
        patterns: as in the settings ``include`` and ``exclude``; an entity type stands for all of its fields too.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._selection = Selection(exclude=patterns)

    def hides(self, entity_type: str, field: str = "") -> bool:
        """Whether the texts of an entity type, or of one of its fields, are left out."""
        if field:
            return not self._selection.field(Field(entity_type, field, ""))
        return not self._selection.entity_type(entity_type)


def redacted(site: SiteSchema, patterns: tuple[str, ...]) -> SiteSchema:
    """``site`` without the display names, descriptions, values, labels and defaults of what the patterns name."""
    if not patterns:
        return site
    redaction = Redaction(patterns)
    entity_types = {code: _entity_type(one, redaction) for code, one in site.entity_types.items()}
    return replace(site, entity_types=entity_types)


def _entity_type(entity_type: EntityType, redaction: Redaction) -> EntityType:
    fields = {
        code: _without_texts(field) if redaction.hides(entity_type.code, code) else field
        for code, field in entity_type.fields.items()
    }
    name = "" if redaction.hides(entity_type.code) else entity_type.name
    return replace(entity_type, name=name, fields=fields)


def _without_texts(field: Field) -> Field:
    properties = tuple((name, value) for name, value in field.properties if name == "renderer")
    return replace(field, name="", description="", valid_values=(), default=None, properties=properties)
