"""What reading a source gives."""

from __future__ import annotations

from dataclasses import dataclass

from sg_migrate.site.events import NO_EVENTS, SiteEvents
from sg_migrate.site.formats import Recognised
from sg_migrate.site.ledger import active
from sg_migrate.site.raw import site_schema
from sg_migrate.site.schema import SiteSchema


@dataclass(frozen=True, slots=True)
class Loaded:
    """A schema that was read.

    ``schema`` is what the site says; ``format`` says in words what was recognised; ``notes`` what was left out.
    ``ledger`` holds, where the source was a snapshot, all of it: retired and dropped entries too. ``events`` is what a
    live site's log says beyond what was known.
    """

    schema: SiteSchema
    format: str
    notes: tuple[str, ...] = ()
    ledger: SiteSchema | None = None
    events: SiteEvents = NO_EVENTS

    @classmethod
    def from_ledger(cls, ledger: SiteSchema) -> Loaded:
        """A snapshot used as a source: what is active in it is what the site says."""
        return cls(active(ledger), "sg_migrate snapshot", ledger=ledger)


def loaded(recognised: Recognised, host: str | None = None) -> Loaded:
    """Build the canonical schema of a recognised document; raises ``Unreadable`` at the first problem."""
    raw = recognised.raw
    schema = site_schema(raw, host)
    fieldless = sorted(raw.entities.keys() - raw.fields.keys())
    notes = (f"left out, listed without fields: {', '.join(fieldless)}",) if fieldless else ()
    return Loaded(schema, recognised.format, notes)
