"""What the site says now, merged into the ledger: nothing is forgotten, what returns is active again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sg_migrate.errors import ForeignHostError, MassRetirementError
from sg_migrate.site.schema import EntityType, Field, SiteSchema

GUARD_SHARE = 0.25
"""More than this share of a site's entity types or fields does not vanish in one step by intention."""

GUARD_FIELDS = 20
"""Fewer fields than this may vanish at once, whatever their share."""

WARN_FIELDS = 5
"""From this number on, an entity type that loses more than the same share of its fields is worth a warning."""


@dataclass(frozen=True, slots=True)
class RetirementWarning:
    """An entity type that is still on the site and loses many of its fields at once."""

    entity_type: str
    fields: int
    all_fields: int

    def __str__(self) -> str:
        return f"{self.entity_type}: {self.fields} of {self.all_fields} fields are no longer on the site"


def merged(ledger: SiteSchema, site: SiteSchema, today: date) -> SiteSchema:
    """Every entry of ``ledger`` and of ``site`` (active entries only), each in the state it has after this reading."""
    entity_types = {
        code: _merge_entity_type(ledger.entity_types.get(code), site.entity_types.get(code), today.isoformat())
        for code in sorted(ledger.entity_types.keys() | site.entity_types.keys())
    }
    # A file source knows no host: then the ledger's stands.
    return SiteSchema(entity_types, site.host or ledger.host)


def _merge_entity_type(old: EntityType | None, new: EntityType | None, today: str) -> EntityType:
    if new is None:
        assert old is not None
        gone = replace(old, fields=_sorted(old.fields))
        return replace(gone, state="retired", since=today) if old.state == "active" else gone
    absent = _absent_fields(old, new, today) if old else {}
    present = {code: _present_field(old, field) for code, field in new.fields.items()}
    return replace(new, fields=_sorted({**absent, **present}), since=None)


def _present_field(old: EntityType | None, field: Field) -> Field:
    """A field as the site has it, with what only the ledger knows of it."""
    known = old.fields.get(field.code) if old else None
    if known is None:
        return replace(field, since=None)
    set_aside = known.set_aside if known.state == "active" else ()  # what returns begins anew
    return replace(field, since=None, pruned=known.pruned, set_aside=set_aside)


def _sorted(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {code: fields[code] for code in sorted(fields)}


def _absent_fields(old: EntityType, new: EntityType, today: str) -> dict[str, Field]:
    return {code: _absent_field(old, field, today) for code, field in old.fields.items() if code not in new.fields}


def _absent_field(entity_type: EntityType, field: Field, today: str) -> Field:
    """A field of an entity type that the site has, while the site does not have the field."""
    if field.state == "dropped":
        return field
    if entity_type.state == "dropped":
        # Its column went with the table; the type that came back builds a new one, without it.
        return replace(field, state="dropped", since=entity_type.since)
    return replace(field, state="retired", since=today) if field.state == "active" else field


def check_host(known: str | None, now: str | None, rebind: bool) -> None:
    """Raise ``ForeignHostError`` if a site's schema would go into what is of another site or of none.

    Args:
        known: the ledger's host; ``None`` for one that was only ever made from files that name none.
        now: the host of what was read; ``None`` for a file that names none, which nobody can tell.
        rebind: accept it.
    """
    if now and (known or "").lower() != now.lower() and not rebind:
        raise ForeignHostError(known, now)


def host_note(known: SiteSchema | None, site: SiteSchema) -> tuple[str, ...]:
    """What to say where a schema of no named site is merged into a site's ledger."""
    if known is None or known.host is None or site.host is not None:
        return ()
    return (f"the file does not say which site it is of; it is taken for {known.host}'s",)


@dataclass(frozen=True, slots=True)
class Loss:
    """What the site no longer has of one entity type: some of its fields, or the whole of it."""

    entity_type: EntityType
    fields: int
    whole: bool


def losses(known: SiteSchema, site: SiteSchema) -> list[Loss]:
    """What would retire: everything active in ``known`` that ``site`` does not have, by entity type."""
    result = []
    for code, entity_type in sorted(known.entity_types.items()):
        if code not in site.entity_types:
            result.append(Loss(entity_type, len(entity_type.fields), whole=True))
        elif gone := entity_type.fields.keys() - site.entity_types[code].fields.keys():
            result.append(Loss(entity_type, len(gone), whole=False))
    return result


def check_guard(known: SiteSchema, lost: list[Loss]) -> None:
    """Raise ``MassRetirementError`` if so much is lost that the site, or the key's permissions, must be wrong."""
    entity_types, all_entity_types = sum(loss.whole for loss in lost), len(known.entity_types)
    fields, all_fields = sum(loss.fields for loss in lost), sum(1 for _ in known.fields())
    too_many_types = entity_types > GUARD_SHARE * all_entity_types
    too_many_fields = fields >= GUARD_FIELDS and fields > GUARD_SHARE * all_fields
    if too_many_types or too_many_fields:
        raise MassRetirementError(entity_types, all_entity_types, fields, all_fields)


def warnings(lost: list[Loss]) -> tuple[RetirementWarning, ...]:
    """One warning for each entity type that stays on the site and loses many of its fields."""
    found = (RetirementWarning(loss.entity_type.code, loss.fields, len(loss.entity_type.fields)) for loss in lost)
    heavy = {loss.entity_type.code for loss in lost if not loss.whole and loss.fields >= WARN_FIELDS}
    return tuple(
        warning
        for warning in found
        if warning.entity_type in heavy and warning.fields > GUARD_SHARE * warning.all_fields
    )
