"""``sg-migrate prune``: decide that something retired may be dropped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option


@click.command(name="prune", epilog="Example: sg-migrate prune CustomEntity07 'Shot.sg_tmp_*' --dry-run")
@click.argument("patterns", nargs=-1, metavar="[NAME]...")
@click.option(
    "--retired-before",
    "before",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only what was retired before that day; without names, all of it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be dropped and mark nothing.")
@config_option
@setting_option
def command(
    patterns: tuple[str, ...], before: datetime | None, dry_run: bool, config: Path, arguments: tuple[str, ...]
) -> None:
    """Mark NAMEs as dropped in the snapshot: the next revision drops their tables, columns and indexes.

    NAME is an entity type (CustomEntity07), a field (Shot.sg_old), the values that a field kept from an earlier type
    (Shot.sg_cut_in:text), or a pattern with * ? [...] {a,b}. Only what is retired can be pruned. Touches no
    database; until the revision is written, `git checkout` of the snapshot takes the decision back.
    """
    from sg_migrate.revisions.prune import prune
    from sg_migrate.text import clean

    if not patterns and before is None:
        raise click.UsageError("Name what may be dropped, or give --retired-before.")
    found = project(config, arguments)
    chosen = prune(found, patterns, before.date() if before else None, dry_run=dry_run)
    for item in chosen:
        name = f'{item.name} "{clean(item.display_name)}"' if item.display_name else item.name
        click.echo(f"{name}: {', '.join(item.objects) or 'nothing is built of it'}")
    outcome = "would be marked as dropped" if dry_run else "marked as dropped"
    click.echo(f"{found.snapshot_path}: {len(chosen)} {outcome}", err=True)
    if chosen and not dry_run:
        click.echo("The next revision drops them with their values: sg-migrate revision -m prune", err=True)
