"""Who changed the site, in reports: where the log tells, and why it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sg_migrate.site.attribution import Attribution
from sg_migrate.text import plural


def unknown(attributions: Iterable[Attribution | None]) -> list[str]:
    """For how many changes nobody is named, a line for each reason."""
    reasons = Counter(one.unknown for one in attributions if one and one.unknown)
    return [f"Who made {plural(count, 'change')} is not known: {reason}." for reason, count in reasons.most_common()]


def attribution_json(one: Attribution | None) -> dict[str, Any] | None:
    """An attribution as JSON; docs/review.md describes it."""
    if one is None:
        return None
    events = [
        {"event": event.id, "at": event.at, "by": event.by or None, "script": event.script} for event in one.events
    ]
    return {"events": events, "doubt": one.doubt or None, "unknown": one.unknown or None}
