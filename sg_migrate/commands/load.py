"""``sg-migrate load``: fill the warehouse from the site, keep it current, and prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.exit_codes import DIFFERS, ERROR


@click.command(name="load", epilog="Example: sg-migrate load --sweep --verify")
@click.argument("types", nargs=-1)
@click.option("--full", is_flag=True, help="Read every record again, not only what changed.")
@click.option("--sweep", is_flag=True, help="Compare every id: find what was deleted, revived or missed.")
@click.option("--forget", is_flag=True, help="With --sweep: take the rows away of what was deleted for ever.")
@click.option("--accept-retirements", is_flag=True,
              help="With --sweep: more than a quarter of a type's records may have vanished.")  # fmt: skip
@click.option("--project", "projects", multiple=True, type=click.IntRange(min=1), metavar="ID",
              help="Only the records of these projects; types without a project whole.")  # fmt: skip
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="How many requests at a time.")
@click.option("--verify", is_flag=True, help="At the end, compare counts and a sample of values with the site.")
@click.option("--status", is_flag=True, help="Load nothing: print how far each type is loaded.")
@click.option("--url", help="Another database than the project's own.")
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context, /, types: tuple[str, ...], jobs: int, verify: bool, status: bool, url: str | None,
    config: Path, arguments: tuple[str, ...], **asked: Any,
) -> None:  # fmt: skip
    """Load the records of the site into the warehouse: of TYPES (patterns), or of every type that has a table.

    What was loaded before is brought up to date: new and changed records, and fields that a revision has added. Rows
    are committed with how far the load is; after an interruption the same command goes on where it stopped. Values
    that have no place in their column are kept aside in the table sg_load_rejects.

    Exits with 0 when done, 1 when something was refused, 3 when --verify found a difference.
    """
    if asked["forget"] and not asked["sweep"]:
        raise click.UsageError("--forget needs --sweep: only a comparison of every id tells what was deleted.")
    found = project(config, arguments)
    if status:
        from sg_migrate.load.status import status as lines

        click.echo("\n".join(lines(found, url=url) or ["Nothing was loaded yet."]))
        return
    from rich.console import Console

    from sg_migrate.commands.progress import watched
    from sg_migrate.load.pool import Pool
    from sg_migrate.load.run import load
    from sg_migrate.load.session import Options
    from sg_migrate.load.verify import verify as compare
    from sg_migrate.reports.load_report import notes, proof, text

    with Pool(jobs=jobs) as pool:
        with watched(Console(stderr=True)) as watch:
            summary = load(found, pool, types, Options(**asked), url=url, watch=watch)
        click.echo("\n".join(text(summary)))
        for note in notes(summary):
            click.echo(note, err=True)
        compared = compare(found, pool, types, Options(**asked), url=url) if verify else None
    if compared is not None:
        click.echo("\n".join(proof(compared)))
    if summary.refusals:
        context.exit(ERROR)
    if compared is not None and compared.differences:
        context.exit(DIFFERS)
