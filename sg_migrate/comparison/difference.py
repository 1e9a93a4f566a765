"""Two schemas beside each other: what differs, and what that means for the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest

from sg_migrate.conversion.rules import always_converts, kind_of
from sg_migrate.review.findings import Level
from sg_migrate.revisions.in_site_terms import site_change
from sg_migrate.revisions.summary import with_display_name
from sg_migrate.site.attribution import Attribution, Attributions
from sg_migrate.site.changes import SiteChange, changes
from sg_migrate.site.events import SiteEvents
from sg_migrate.site.schema import Field, SiteSchema
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.transition import Transition
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
    attributions: tuple[Attribution | None, ...] = ()
    """Who made each change, in their order, as far as the site's log tells; empty where nothing is known of it."""

    def attributed(self, known: SiteEvents) -> Difference:
        """The same with who made the changes."""
        return replace(self, attributions=tuple(Attributions(known).of(self.changes))) if known else self

    def rows(self) -> list[tuple[SiteChange, Attribution | None]]:
        """The changes, each with who made it."""
        return list(zip_longest(self.changes, self.attributions))


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
    return Difference(old_name, new_name, tuple(site_change(change, site) for change in own), level_of(found), shown)


def level_of(found: Transition) -> Level:
    """The worst that a transition does."""
    kinds = {change.kind for change in found.changes}
    if kinds & {"dropped", "pruned"}:
        return Level.DESTRUCTIVE
    return Level.VISIBLE if kinds & {"converted", "set_aside", "display_name", "renamed"} else Level.SAFE


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
