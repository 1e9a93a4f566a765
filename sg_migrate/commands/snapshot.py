"""``sg-migrate snapshot``: the site's schema as one reviewable file."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option, settings
from sg_migrate.commands.source import echo_taken, read_source
from sg_migrate.exit_codes import DIFFERS


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
    from sg_migrate.site.taking import take_snapshot

    found = None if target else project(config, arguments)
    shown = found.settings if found else settings(arguments)
    path = found.snapshot_path if found else target
    assert path is not None
    loaded = read_source(source, entities, snapshot=path, people=shown.people)
    taken = take_snapshot(
        path, loaded, dry_run=dry_run, rebind=rebind, accept_retirements=accept_retirements, redact=shown.redact
    )
    echo_taken(taken, dry_run=dry_run)
    if exit_code and taken.changed:
        context.exit(DIFFERS)
