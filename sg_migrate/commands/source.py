"""What several commands say while and after they read a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sg_migrate.site.loaded import Loaded
    from sg_migrate.site.taking import Taken


def read_source(source: Path | None, entities: Path | None = None) -> Loaded:
    """The schema of a file, or of the live site when there is none. Raises ``SourceError``."""
    if source is not None:
        from sg_migrate.site.sources import load_schema

        return load_schema(source, entities=entities)
    from rich.console import Console

    from sg_migrate.site.live import connect_from_environment, read_site

    with Console(stderr=True).status("Reading the site's schema …"):
        return read_site(connect_from_environment())


def echo_taken(taken: Taken, *, dry_run: bool = False) -> None:
    """The changes on stdout, one a line; the notes, and what became of the file, on stderr."""
    from sg_migrate.warehouse.mapping import unmapped

    for note in (*taken.notes, *unmapped(taken.new_fields)):
        click.echo(f"note: {note}", err=True)
    if taken.stored is None:
        schema = taken.snapshot.active()
        count = sum(len(entity_type.fields) for entity_type in schema.entity_types.values())
        click.echo(f"First snapshot: {len(schema.entity_types)} entity types, {count} fields")
    for change in taken.changes:
        click.echo(str(change))
    outcome = "would be written" if dry_run and taken.changed else "written" if taken.written else "unchanged"
    click.echo(f"{taken.path}: {outcome} (read: {taken.format})", err=True)
