"""``sg-migrate revision``: the snapshot, the next revision, and its review in one go."""

from __future__ import annotations

from pathlib import Path

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_reviews
from sg_migrate.commands.source import read_ledger
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK


@click.command(name="revision", epilog='Example: sg-migrate revision -m "weekly sync"')
@click.option("-m", "--message", help="The message; by default one made from the changes.")
@click.option("--from", "source", type=click.Path(path_type=Path), help="Read this file instead of the live site.")
@click.option("--rev-id", help="The id of the revision; by default a new one.")
@click.option("--dry-run", is_flag=True, help="Show the review and write nothing.")
@click.option("--format", "format_", type=click.Choice(["text", "markdown", "json", "html"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--details", is_flag=True, help="Leave nothing out of the text.")
@click.option("--url", help="A database to check for drift and to count in; it is only read.")
@click.option("--accept-retirements", is_flag=True, help="Accept that more vanished than the guard allows.")
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context,
    message: str | None,
    source: Path | None,
    rev_id: str | None,
    dry_run: bool,
    format_: str,
    details: bool,
    url: str | None,
    accept_retirements: bool,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Refresh the snapshot, write the next revision, and review it. Needs no database.

    The snapshot is refreshed from the live site where the environment holds credentials, or from --from FILE; else it
    is taken as it is. A database that can be reached is checked for drift before anything is written.
    Exits with 0 when nothing is to be done, 3 when a revision was written, 4 when somebody must look at it.
    """
    from sg_migrate.review.findings import Level
    from sg_migrate.review.next_revision import next_revision
    from sg_migrate.site.lock import locked

    found = project(config, arguments)
    with locked(found.snapshot_path):  # from reading on: of two at once the second would write what the first has
        snapshot, events = read_ledger(found, source, accept_retirements=accept_retirements)
        written = next_revision(
            found,
            snapshot,
            events=events,
            message=message,
            arguments=arguments,
            rev_id=rev_id,
            url=url,
            dry_run=dry_run,
        )
    if written.snapshot_written:
        click.echo(f"{found.snapshot_path}: written", err=True)
    if written.review is None:
        click.echo("Nothing to do: the revisions build what the site wants.", err=True)
        context.exit(DONE)
    echo_reviews([written.review], format_, details=details)
    context.exit(LOOK if written.review.level >= Level.UNSAFE else DIFFERS)
