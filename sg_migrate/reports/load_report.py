"""What a load did, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sg_migrate.text import plural

if TYPE_CHECKING:
    from sg_migrate.load.run import Summary
    from sg_migrate.load.session import Outcome
    from sg_migrate.load.verify import Proof


def text(summary: Summary) -> Iterator[str]:
    """A line for each entity type of which anything was written, and one for all."""
    for outcome in summary.outcomes:
        if outcome.changed or outcome.retired:
            yield f"{outcome.entity_type}: {_counts(outcome)}"
    read = sum(outcome.read for outcome in summary.outcomes)
    changed = sum(outcome.changed for outcome in summary.outcomes)
    complete = f"; complete as of event {summary.event}" if summary.event else ""
    types = plural(len(summary.outcomes), "entity type")
    yield (
        f"{types}: {plural(read, 'record')} read, {plural(changed, 'row')} written,"
        f" {plural(summary.requests, 'request')}, {summary.seconds:.1f} s{complete}"
    )
    if summary.rejects:
        have = "has" if summary.rejects == 1 else "have"
        yield f"{plural(summary.rejects, 'value')} {have} no place in a column: see the table sg_load_rejects"


def notes(summary: Summary) -> Iterator[str]:
    """What a person should know, and what was not done."""
    yield from (f"note: {note}" for note in summary.notes)
    yield from (f"sg-migrate: {refusal}" for refusal in summary.refusals)


def proof(compared: Proof) -> Iterator[str]:
    """A line for each difference, or one that there is none."""
    yield from compared.differences
    if not compared.differences:
        records, types = plural(compared.records, "record"), plural(compared.types, "entity type")
        yield f"Verified: {records} of {types}, {plural(compared.values, 'value')} compared"


def _counts(outcome: Outcome) -> str:
    retired = f", {outcome.retired:,} retired" if outcome.retired else ""
    return f"{plural(outcome.read, 'record')} read, {plural(outcome.changed, 'row')} written{retired}"
