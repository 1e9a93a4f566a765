"""``sg-migrate check``: for CI, whether everything is in step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sg_migrate.review.checks import Check
    from sg_migrate.revisions.project import Project

SECRETS = ("SG_SCRIPT", "SG_API_KEY", "SG_LOGIN", "SG_PASSWORD", "SG_SESSION_TOKEN")


@click.command(name="check", epilog="Example: sg-migrate check --format github")
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown", "github"]), default="text",
              show_default=True, help="github: annotations of a workflow.")  # fmt: skip
@click.option("--url", help="The database to check; by default DATABASE_URL or alembic.ini's, if it can be reached.")
@config_option
@setting_option
@click.pass_context
def command(context: click.Context, format_: str, url: str | None, config: Path, arguments: tuple[str, ...]) -> None:
    """Check that the site, the snapshot, the revisions and the database are in step. Writes nothing.

    Each check is made where it can be: the site needs credentials in the environment, the database an address.
    Exits with 0 when nothing differs, 3 when something does, 4 when that is lossy or destructive, 1 for a failed check.
    """
    from sg_migrate.review.checks import exit_code

    checks = _checks(project(config, arguments), url)
    _show(checks, format_)
    context.exit(exit_code(checks))


def _checks(found: Project, url: str | None) -> list[Check]:
    from sg_migrate.database.reading import opened
    from sg_migrate.errors import DatabaseUnavailableError
    from sg_migrate.review.checks import Check, check_database, check_drift, check_heads, check_revisions

    checks = [check_heads(found), _site(found), check_revisions(found)]
    names = ("head and database", "database and built")
    try:
        with opened(found, url) as (database, reason):
            if database is None:
                return checks + [Check(name, "skipped", f"no database: {reason}") for name in names]
            return [*checks, check_database(found, database), check_drift(found, database)]
    except DatabaseUnavailableError as error:
        return checks + [Check(name, "error", str(error)) for name in names]


def _site(found: Project) -> Check:
    from sg_migrate.errors import SourceError
    from sg_migrate.review.checks import Check, check_site

    name = "site and snapshot"
    if not has_credentials():
        return Check(name, "skipped", "no credentials in the environment (SG_SCRIPT and SG_API_KEY, ...)")
    from sg_migrate.site.live import connect_from_environment, read_site

    try:
        site = read_site(connect_from_environment()).schema
    except SourceError as error:
        return Check(name, "error", str(error))
    return check_site(found, site)


def has_credentials() -> bool:
    """Whether the environment holds a secret for the site; SG_URL alone is none."""
    return any(os.environ.get(name, "").strip() for name in SECRETS)


def _show(checks: Sequence[Check], format_: str) -> None:
    from sg_migrate.reports import markdown
    from sg_migrate.review.checks import document, github, json_text, text

    if format_ == "text":
        echo_lines(text(checks))
    elif format_ == "github":
        echo_lines(github(checks))
    else:
        click.echo(json_text(checks) if format_ == "json" else markdown.render(document(checks)))
