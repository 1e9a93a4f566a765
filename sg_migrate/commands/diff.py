"""``sg-migrate diff``: two schemas beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_lines
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK

if TYPE_CHECKING:
    from sg_migrate.comparison.difference import Difference

FORMATS = ("text", "markdown", "json", "html")


@click.command(name="diff", epilog="Example: sg-migrate diff HEAD~1:migrations/site_schema.json snapshot")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--url", help="The database that `db` stands for; it is only read.")
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context,
    old: str | None,
    new: str | None,
    format_: str,
    url: str | None,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Compare two schemas, from OLD to NEW.

    \b
    Each of them is one of
      snapshot      the project's snapshot file
      live          the site, with the credentials of the environment
      db            what the database's revisions have built
      built         what the project's revisions build
      FILE          a schema in any format that `snapshot --from` reads
      REV:FILE      the file in a git revision, such as HEAD~1:migrations/site_schema.json

    With OLD alone, NEW is the snapshot; `diff live`, and `diff` alone, is from the snapshot to the site.
    Exits with 0 when nothing differs, 4 when values of the warehouse would not convert or be dropped, 3 otherwise.
    """
    from sg_migrate.comparison.sides import Sides
    from sg_migrate.review.findings import Level

    if old in (None, "live") and new is None:
        old, new = "snapshot", "live"
    sides = Sides(lambda: project(config, arguments), url)
    found = sides.difference(old or "snapshot", new or "snapshot")
    show(found, format_)
    code = LOOK if found.level >= Level.UNSAFE else DIFFERS
    context.exit(code if found.changes else DONE)


def show(found: Difference, format_: str) -> None:
    """Print differences in a format."""
    from sg_migrate.reports import difference_report, html, markdown

    if format_ == "text":
        echo_lines(difference_report.text(found))
    elif format_ == "json":
        click.echo(difference_report.json_text(found))
    else:
        document = difference_report.document(found)
        click.echo(markdown.render(document) if format_ == "markdown" else html.render(document))
