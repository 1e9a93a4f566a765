"""``sg-migrate review``: what a revision does and what it risks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_reviews
from sg_migrate.exit_codes import DONE, LOOK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sg_migrate.review.run import Review

DIALECTS = ("sqlite", "postgresql", "mysql", "mariadb")
LEVELS = ("safe", "locking", "visible", "unsafe", "destructive")


@click.command(name="review", epilog="Example: sg-migrate review head --dialect postgresql --format markdown")
@click.argument("revisions", nargs=-1, metavar="[REVISION|A:B|FILE.py]...")
@click.option("--format", "format_", type=click.Choice(["text", "markdown", "json", "html"]), default="text",
              show_default=True)  # fmt: skip
@click.option("--url", help="A database to ask for rows and values; it is only read.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Whose rules count; by default that of the database.")
@click.option("--sql", is_flag=True, help="Add the statements for the dialect.")
@click.option("--details", is_flag=True, help="Leave nothing out of the text.")
@click.option("--fail-on", type=click.Choice(LEVELS), default="unsafe", show_default=True,
              help="Exit with 4 for a finding of this level or above.")  # fmt: skip
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context,
    revisions: tuple[str, ...],
    format_: str,
    url: str | None,
    dialect: str | None,
    sql: bool,
    details: bool,
    fail_on: str,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Judge revisions by their operations: what is lost, what is locked, what cannot be told.

    Any revision of the project, hand-edited and foreign ones too. Without a name: what the database does not have yet
    (nothing pending: exit code 0), or without a database the newest. The documentation has
    the rules and the formats under "Reviewing a revision". Nothing is executed or written.
    """
    from sg_migrate.review.reviews import review_revisions

    found = review_revisions(project(config, arguments), revisions, url=url, dialect=dialect, sql=sql)
    if found.unasked:
        click.echo(f"note: no database was asked ({found.unasked})", err=True)
    if not found.reviews:
        click.echo("Nothing is pending: the database has every revision.", err=True)
    if found.uncounted:
        click.echo("note: the database has this revision already, so nothing was counted", err=True)
    echo_reviews(found.reviews, format_, details=details)
    context.exit(_exit_code(found.reviews, fail_on))


def _exit_code(reviews: Sequence[Review], fail_on: str) -> int:
    """4 when a finding that the file does not allow is at or above ``fail_on``; else 0."""
    from sg_migrate.review.findings import Level

    level = Level.parse(fail_on)
    return LOOK if any(finding.level >= level for review in reviews for finding in review.open) else DONE
