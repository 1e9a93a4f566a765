"""What the local site's event log says of a change of its schema, as far as people made it."""

from __future__ import annotations

from sg_migrate.demo.records import Raw, Records
from sg_migrate.site.changes import SiteChange, changes
from sg_migrate.site.schema import SiteSchema

PEOPLE = {"Shot": "Jane Doe", "Asset": "Sam Field"}
"""Who looks after the fields of which entity type; the others are left to a script, which logs nothing."""


def log_changes(records: Records, before: SiteSchema, after: SiteSchema, moment: str) -> None:
    """Put an event into the log for each field that somebody made, deleted, renamed or gave another type.

    Args:
        records: the site's records.
        before: its schema so far.
        after: its schema from now on.
        moment: when it was done, as the site sends it.
    """
    found = [change for change in changes(before, after) if change.field and change.entity_type in PEOPLE]
    told = [(change, what) for change in found if (what := _told(change)) is not None]
    for number, (change, (verb, meta)) in enumerate(told, 1):
        records.put("DisplayColumn", number, {"entity_type": change.entity_type})
        values = {
            "event_type": f"Shotgun_DisplayColumn_{verb}",
            "created_at": moment,
            "user": {"type": "HumanUser", "id": 1, "name": PEOPLE[change.entity_type]},
            "entity": {"type": "DisplayColumn", "id": number, "name": change.display_name},
            "meta": {"entity_type": "DisplayColumn", "entity_id": number, **meta},
        }
        records.put("EventLogEntry", number, values)


def _told(change: SiteChange) -> tuple[str, Raw] | None:
    """What the log calls a change; ``None`` for one that this site does not log."""
    if change.kind in ("added", "vanished"):
        return ("New" if change.kind == "added" else "Retirement"), {}
    attribute = {"name": "human_name", "data_type": "data_type"}.get(change.kind)
    if attribute is None:
        return None
    return "Change", {"attribute_name": attribute, "old_value": change.old, "new_value": change.new}
