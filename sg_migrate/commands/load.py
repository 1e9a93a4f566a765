"""``sg-migrate load``: fill the warehouse from the site, keep it current, and prove it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.exit_codes import DIFFERS, ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sg_migrate.load.pool import Pool
    from sg_migrate.load.run import Summary
    from sg_migrate.load.session import Options
    from sg_migrate.revisions.project import Project


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
    context: click.Context,
    types: tuple[str, ...],
    full: bool,
    sweep: bool,
    forget: bool,
    accept_retirements: bool,
    projects: tuple[int, ...],
    jobs: int,
    verify: bool,
    status: bool,
    url: str | None,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Load the records of the site into the warehouse: of TYPES (patterns), or of every type that has a table.

    What was loaded before is brought up to date: new and changed records, and fields that a revision has added. Rows
    are committed with how far the load is; after an interruption the same command goes on where it stopped. Values
    that have no place in their column are kept aside in the table sg_load_rejects.

    Exits with 0 when done, 1 when something was refused, 3 when --verify found a difference.
    """
    if forget and not sweep:
        raise click.UsageError("--forget needs --sweep: only a comparison of every id tells what was deleted.")
    found = project(config, arguments)
    if status:
        _status(found, url)
        return
    from sg_migrate.load.pool import Pool
    from sg_migrate.load.session import Options

    options = Options(full, sweep, forget, accept_retirements, projects)
    with Pool(jobs=jobs) as pool:
        summary = _load(found, pool, types, options, url)
        _show(summary)
        differences = _verify(found, pool, types, options, url) if verify else []
    if summary.refusals:
        context.exit(ERROR)
    if differences:
        context.exit(DIFFERS)


def _load(project: Project, pool: Pool, types: Sequence[str], options: Options, url: str | None) -> Summary:
    from rich.console import Console

    from sg_migrate.commands.progress import watched
    from sg_migrate.load.run import load

    console = Console(stderr=True)
    with watched(console) as watch:
        return load(project, pool, types, options, url=url, watch=watch)


def _show(summary: Summary) -> None:
    from sg_migrate.reports.load_report import text

    for line in text(summary):
        click.echo(line)
    for note in (*(f"note: {note}" for note in summary.notes), *(f"sg-migrate: {one}" for one in summary.refusals)):
        click.echo(note, err=True)


def _verify(project: Project, pool: Pool, types: Sequence[str], options: Options, url: str | None) -> list[str]:
    from sg_migrate.load.verify import verify

    proof = verify(project, pool, types, options, url=url)
    for line in proof.differences:
        click.echo(line)
    if not proof.differences:
        click.echo(
            f"Verified: {proof.records:,} records of {proof.types} entity types, {proof.values:,} values compared"
        )
    return list(proof.differences)


def _status(project: Project, url: str | None) -> None:
    from sg_migrate.load.status import status

    lines = status(project, url=url)
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo("Nothing was loaded yet.")
