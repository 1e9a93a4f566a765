"""``sg-migrate events``: what is known of who changed the site."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.group(name="events", epilog="Example: sg-migrate events import event_log_2024.csv")
def command() -> None:
    """What is known of who changed the site's fields: the file site_events.jsonl beside the snapshot.

    `sg-migrate snapshot` and `sg-migrate revision` append to it what a live site's event log says.
    """


@command.command(name="import", epilog="Example: sg-migrate events import event_log_2024.csv")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@setting_option
def import_command(file: Path, config: Path, arguments: tuple[str, ...]) -> None:
    """Take the events about fields from an archive of the site's event log.

    FILE is CSV with the columns Id, Event Type, Date Created and Meta, and if there are Link and User. Hosted sites
    forget events after six months, and offer the archive under Archived Data. What is known already is left out.
    """
    from sg_migrate.site.event_archive import read_archive
    from sg_migrate.site.events import append_events
    from sg_migrate.site.lock import locked
    from sg_migrate.text import plural

    found = project(config, arguments)
    archive = read_archive(file, people=found.settings.people)
    with locked(found.snapshot_path):
        known = {event.id for event in found.events().events}
        written = append_events(found.events_path, archive.events, changed=bool(archive.events.events))
    new = sum(event.id not in known for event in archive.events.events)
    click.echo(f"{plural(archive.rows, 'row')}, {plural(len(archive.events.events), 'event')} about fields, {new} new")
    if archive.unreadable:
        click.echo(f"note: {plural(archive.unreadable, 'event')} about fields cannot be read", err=True)
    click.echo(f"{found.events_path}: {'written' if written else 'unchanged'}", err=True)
