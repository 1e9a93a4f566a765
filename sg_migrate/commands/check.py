"""``sg-migrate check``: for CI, whether everything is in step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sg_migrate.comparison.checks import Check


@click.command(name="check", epilog="Example: sg-migrate check --format github")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown", "github"]), default="text",
              show_default=True, help="github: annotations of a workflow.")  # fmt: skip
@click.option("--url", help="The database to check; by default DATABASE_URL, or alembic.ini's if it can be reached.")
@config_option
@setting_option
@click.pass_context
def command(context: click.Context, format_: str, url: str | None, config: Path, arguments: tuple[str, ...]) -> None:
    """Check that the site, the snapshot, the revisions and the database are in step. Writes nothing.

    Each check is made where it can be: the site needs credentials in the environment, the database an address.
    Exits with 0 when nothing differs, 3 when something does, 4 when that is unsafe or destructive, 1 for a failed
    check.
    """
    from sg_migrate.comparison.checks import exit_code, run_checks

    checks = run_checks(project(config, arguments), url)
    _show(checks, format_)
    context.exit(exit_code(checks))


def _show(checks: Sequence[Check], format_: str) -> None:
    from sg_migrate.reports import markdown
    from sg_migrate.reports.check_report import document, github, json_text, text

    if format_ == "text":
        echo_lines(text(checks))
    elif format_ == "github":
        echo_lines(github(checks))
    else:
        click.echo(json_text(checks) if format_ == "json" else markdown.render(document(checks)))
