"""Two schemas beside each other: what differs, and what that means for the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sg_migrate.conversion.rules import always_converts, kind_of
from sg_migrate.review.findings import Level
from sg_migrate.revisions.summary import display_name, with_display_name
from sg_migrate.site.changes import SiteChange, SiteChangeKind, changes
from sg_migrate.site.schema import Field, SiteSchema
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.transition import Change, Transition
from sg_migrate.warehouse.type_change import type_change


@dataclass(frozen=True, slots=True)
class Difference:
    """Two schemas with their names, and what changed from the old one to the new one."""

    old_name: str
    new_name: str
    changes: tuple[SiteChange, ...]
    level: Level
    """What the worst of the changes means for the warehouse."""
    with_display_names: dict[str, str]
    """The entity types with their display names."""


def difference(old: SiteSchema, new: SiteSchema, old_name: str, new_name: str) -> Difference:
    """What changed between two schemas, plain or ledgers; nothing that is not a change."""
    found = changes(old, new)
    level = max((_level(change, old, new) for change in found), default=Level.SAFE)
    shown = {code: with_display_name(code, schema) for schema in (old, new) for code in schema.entity_types}
    return Difference(old_name, new_name, tuple(found), level, shown)


def warehouse_difference(found: Transition, site: SiteSchema, old_name: str, new_name: str) -> Difference:
    """What changed between two states of the warehouse.

    Args:
        found: the two states.
        site: where display names are looked up.
        old_name: what the first state is.
        new_name: what the second is.
    """
    own = [change for change in found.changes if change.entity_type != CATALOG]
    shown = {change.entity_type: with_display_name(change.entity_type, site) for change in own}
    return Difference(old_name, new_name, tuple(_site_change(change, site) for change in own), level_of(found), shown)


def level_of(found: Transition) -> Level:
    """The worst that a transition does."""
    kinds = {change.kind for change in found.changes}
    if kinds & {"dropped", "pruned"}:
        return Level.DESTRUCTIVE
    return Level.VISIBLE if kinds & {"converted", "set_aside", "display_name", "renamed"} else Level.SAFE


def _site_change(change: Change, site: SiteSchema) -> SiteChange:
    """A change of the warehouse in the words for a site's."""
    place = (change.entity_type, change.field or None)
    name = display_name(site, change.entity_type, change.field)
    if change.kind in ("converted", "retyped"):
        old, new = (mark.data_type if mark else None for mark in (change.old, change.new))
        return SiteChange(*place, "data_type", name, old=old, new=new)
    if change.kind == "added":
        return SiteChange(
            *place, "added", name, new=change.new.data_type if change.field and change.new else change.fields
        )
    if change.kind == "pruned":
        return SiteChange(*place, "pruned", name, added=(change.old.former,) if change.old else ())
    if change.kind == "renamed":
        old, new = ", ".join(change.old_names), ", ".join(change.new_names)
        return SiteChange(*place, "renamed", name, old=old, new=new)
    if change.kind == "display_name":
        return SiteChange(*place, "name", name, old=change.old_display_name, new=change.new_display_name)
    if change.kind == "set_aside":
        return SiteChange(*place, "set_aside", name, added=change.new_names)
    if change.kind == "comment":
        return SiteChange(*place, "comment", name, old=change.old_comment, new=change.new_comment)
    return SiteChange(*place, cast(SiteChangeKind, change.kind), name)


def _level(found: SiteChange, old: SiteSchema, new: SiteSchema) -> Level:
    if found.kind == "dropped":
        return Level.DESTRUCTIVE
    if found.kind in ("name", "set_aside"):
        return Level.VISIBLE
    if found.kind not in ("data_type", "renderer") or found.field is None:
        return Level.SAFE
    before = old.entity_types[found.entity_type].fields[found.field]
    after = new.entity_types[found.entity_type].fields[found.field]
    return Level.SAFE if _keeps_values(before, after) else Level.VISIBLE


def _keeps_values(before: Field, after: Field) -> bool:
    """Whether every value of the field says the same after its type changed."""
    source, target = columns_for(before), columns_for(after)
    if source is None or source == target:
        return True
    if target is None:
        return True  # the column is kept as it is
    if isinstance(source, str) or isinstance(target, str):
        return (source, target) == ("link", "links")
    return type_change(source, target) != "convert" or always_converts((kind_of(source), kind_of(target)))
