"""``sg-migrate snapshot``: the site's schema as one reviewable file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.exit_codes import DIFFERS

if TYPE_CHECKING:
    from sg_migrate.site.loaded import Loaded
    from sg_migrate.site.snapshot import Snapshot


@click.command(name="snapshot", epilog="Example: sg-migrate snapshot --dry-run")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Read this file instead of the live site.")
@click.option("--entities", type=click.Path(path_type=Path), help="With --from: the schema_entity_read() beside it.")
@click.option("--to", "target", type=click.Path(path_type=Path), help="The snapshot file, outside of a project.")
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 when something changed.")
@click.option("--rebind", is_flag=True, help="Accept a schema from another host.")
@click.option("--accept-retirements", is_flag=True, help="Accept that more vanished than the guard allows.")
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context,
    source: Path | None,
    entities: Path | None,
    target: Path | None,
    dry_run: bool,
    exit_code: bool,
    rebind: bool,
    accept_retirements: bool,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Read the site's schema and merge it into the snapshot file.

    The live site is SG_URL, with SG_SCRIPT and SG_API_KEY, or SG_LOGIN and SG_PASSWORD, or SG_SESSION_TOKEN.
    Nothing is forgotten: what the site no longer has is kept as retired.
    """
    path = target or project(config, arguments).snapshot_path
    loaded = read_source(source, entities)
    changed = take(path, loaded, dry_run=dry_run, rebind=rebind, accept_retirements=accept_retirements)
    if exit_code and changed:
        context.exit(DIFFERS)


def take(
    path: Path, loaded: Loaded, *, dry_run: bool = False, rebind: bool = False, accept_retirements: bool = False
) -> bool:
    """Merge what was read into the snapshot file and say what changed.

    Returns:
        Whether anything differs from the file.
    """
    from sg_migrate.site.snapshot import merge, read_snapshot, write_snapshot

    stored = read_snapshot(path) if path.exists() else None
    merged = merge(stored, loaded.schema, today=date.today(), rebind=rebind, accept_retirements=accept_retirements)
    for note in (*loaded.notes, *map(str, merged.warnings), *_unmapped(stored, merged)):
        click.echo(f"note: {note}", err=True)
    _report(stored, merged)
    written = False if dry_run else write_snapshot(path, merged)
    changed = stored is None or stored.text() != merged.text()
    outcome = "would be written" if dry_run and changed else "written" if written else "unchanged"
    click.echo(f"{path}: {outcome} (read: {loaded.format})", err=True)
    return changed


def read_source(source: Path | None, entities: Path | None = None) -> Loaded:
    """The schema of a file, or of the live site when there is none. Raises ``SourceError``."""
    if source is not None:
        from sg_migrate.site.sources import load

        return load(source, entities=entities)
    from rich.console import Console

    from sg_migrate.site.live import connect_from_environment, read_site

    with Console(stderr=True).status("Reading the site's schema …"):
        return read_site(connect_from_environment())


def _unmapped(stored: Snapshot | None, merged: Snapshot) -> list[str]:
    """What is new and gets no column, and data types that nobody has seen before."""
    from sg_migrate.warehouse.mapping import columns_for, is_known

    known = {str(field): field.data_type for field in stored.schema.fields()} if stored else {}
    new = [field for field in merged.active().fields() if known.get(str(field)) != field.data_type]
    left_out = sorted({field.data_type for field in new if columns_for(field) is None})
    lines = [f"{field}: data type {field.data_type!r} is unknown; kept as text" for field in new
             if not is_known(field.data_type)]  # fmt: skip
    if left_out:
        lines.append(f"no columns for new fields of type {', '.join(left_out)}: the API returns nothing of them")
    return lines


def _report(stored: Snapshot | None, merged: Snapshot) -> None:
    """The changes on stdout, one a line."""
    from sg_migrate.site.changes import changes

    schema = merged.active()
    if stored is None:
        count = sum(len(entity_type.fields) for entity_type in schema.entity_types.values())
        click.echo(f"First snapshot: {len(schema.entity_types)} entity types, {count} fields")
        return
    for change in changes(stored.schema, merged.schema):
        click.echo(str(change))
