"""Changes of the warehouse as changes of the site, and who made them there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import cast

from sg_migrate.revisions.summary import ChangeLine, display_name
from sg_migrate.site.attribution import Attribution, Attributions
from sg_migrate.site.changes import SiteChange, SiteChangeKind
from sg_migrate.site.events import SiteEvents
from sg_migrate.site.schema import SiteSchema
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.transition import Change


def site_change(change: Change, site: SiteSchema) -> SiteChange:
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


def attributed(
    lines: Sequence[ChangeLine], site: SiteSchema, known: SiteEvents, created: str, stood_on: str
) -> dict[ChangeLine, Attribution]:
    """Who made the changes of a revision.

    Args:
        lines: the changes.
        site: where display names are looked up.
        known: the site's events.
        created: the day on which the revision was written; empty where that is not known.
        stood_on: the day on which the one before it was written.
    """
    if not known:
        return {}
    own = [line for line in lines if line.change.entity_type != CATALOG]
    read = (reading.at for reading in known.readings if not reading.archive)
    after = max((at for at in read if stood_on and at < stood_on), default="")
    # A file has the day where it was written, which may have begun before the site's.
    before = (date.fromisoformat(created) + timedelta(days=2)).isoformat() if created else ""
    found = Attributions(known).of([site_change(line.change, site) for line in own], after, before)
    return {line: one for line, one in zip(own, found, strict=True) if one is not None}
