"""What several commands say while and after they read a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sg_migrate.revisions.project import Project
    from sg_migrate.site.events import SiteEvents
    from sg_migrate.site.loaded import Loaded
    from sg_migrate.site.snapshot import Snapshot
    from sg_migrate.site.taking import Taken


def read_source(
    source: Path | None, entities: Path | None = None, *, snapshot: Path | None = None, people: bool = True
) -> Loaded:
    """The schema of a file, or of the live site when there is none. Raises ``SourceError``.

    Args:
        source: the file.
        entities: the ``schema_entity_read()`` beside it.
        snapshot: the snapshot file beside which the site's events are kept; without one its log is not read.
        people: whether events keep the names of people.
    """
    if source is not None:
        from sg_migrate.site.sources import load_schema

        return load_schema(source, entities=entities)
    from rich.console import Console

    from sg_migrate.site.live import connect_from_environment, read_site

    with Console(stderr=True).status("Reading the site's schema …"):
        connection = connect_from_environment()
        if snapshot is None:
            return read_site(connection)
        from sg_migrate.site.event_log import with_log
        from sg_migrate.site.events import events_path, read_events

        known = read_events(events_path(snapshot))  # first: it says what is wrong with the file
        return with_log(read_site(connection), connection, known, people=people)


def read_ledger(found: Project, source: Path | None, *, accept_retirements: bool) -> tuple[Snapshot, SiteEvents]:
    """The ledger after reading the file, or the site and its log where there are credentials; else as it is stored."""
    from sg_migrate.review.next_revision import merged_snapshot
    from sg_migrate.site.events import NO_EVENTS
    from sg_migrate.site.live import has_credentials
    from sg_migrate.site.merge import host_note

    if source is None and not has_credentials() and found.settings.source != "live":
        return found.required_snapshot(), NO_EVENTS
    loaded = read_source(source, snapshot=found.snapshot_path, people=found.settings.people)
    snapshot = merged_snapshot(found, loaded, accept_retirements=accept_retirements)
    stored = found.stored_snapshot()
    named = host_note(stored.schema if stored else None, loaded.schema)
    for note in (*named, *loaded.notes, *map(str, snapshot.warnings)):
        click.echo(f"note: {note}", err=True)
    return snapshot, loaded.events


def echo_taken(taken: Taken, *, dry_run: bool = False) -> None:
    """The changes on stdout, one a line; the notes, and what became of the file, on stderr."""
    from sg_migrate.warehouse.mapping import unmapped

    for note in (*taken.notes, *unmapped(taken.new_fields)):
        click.echo(f"note: {note}", err=True)
    if taken.stored is None:
        schema = taken.snapshot.active()
        count = sum(len(entity_type.fields) for entity_type in schema.entity_types.values())
        click.echo(f"First snapshot: {len(schema.entity_types)} entity types, {count} fields")
    for change, by in taken.attributed():
        click.echo(f"{change}  ({by.words})" if by and by.words else str(change))
    outcome = "would be written" if dry_run and taken.changed else "written" if taken.written else "unchanged"
    click.echo(f"{taken.path}: {outcome} (read: {taken.format})", err=True)
