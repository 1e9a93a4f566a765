"""``sg-migrate revision``: the snapshot, the next revision, and its review in one go."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK

if TYPE_CHECKING:
    from alembic.script import Script

    from sg_migrate.database.reading import Database
    from sg_migrate.review.run import Review
    from sg_migrate.revisions.project import Project
    from sg_migrate.site.snapshot import Snapshot


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
    from sg_migrate.commands.review import show
    from sg_migrate.database.reading import dialect_of, opened
    from sg_migrate.review.run import review
    from sg_migrate.revisions.generate import revision
    from sg_migrate.revisions.summary import message_for
    from sg_migrate.warehouse.transition import transition

    found = project(config, arguments)
    snapshot = _refreshed(found, source, accept_retirements)
    dialect = dialect_of(found)
    found.config.attributes["sg_snapshot"] = snapshot
    with opened(found, url) as (database, _), tempfile.TemporaryDirectory() as temporary:
        if database is not None:
            _check_database(found, snapshot, database)
            dialect = database.dialect
        folder = Path(temporary) if dry_run else None
        text = message or message_for(transition(found.built, found.model(snapshot.schema)))
        generated = revision(found, snapshot, text, arguments=arguments, rev_id=rev_id, folder=folder)
        if not dry_run:
            _write_snapshot(found, snapshot, generated[1] if generated else None)
        if generated is None:
            click.echo("Nothing to do: the revisions build what the site wants.", err=True)
            context.exit(DONE)
        result = review(*generated, dialect, database=database)
        show([result], format_, details=details)
    context.exit(_exit_code(result))


def _refreshed(found: Project, source: Path | None, accept_retirements: bool) -> Snapshot:
    """The ledger after reading the file, or the site where there are credentials; else as it is stored."""
    from sg_migrate.site.live import has_credentials
    from sg_migrate.site.snapshot import merge

    stored = found.stored_snapshot()
    if source is not None:
        from sg_migrate.site.sources import load

        loaded = load(source)
    elif has_credentials() or found.settings.source == "live":
        from rich.console import Console

        from sg_migrate.site.live import connect_from_environment, read_site

        with Console(stderr=True).status("Reading the site's schema …"):
            loaded = read_site(connect_from_environment())
    else:
        return found.required_snapshot()
    accept = accept_retirements or found.settings.accept_retirements
    merged = merge(stored, loaded.schema, today=date.today(), accept_retirements=accept)
    for note in (*loaded.notes, *map(str, merged.warnings)):
        click.echo(f"note: {note}", err=True)
    return merged


def _check_database(found: Project, snapshot: Snapshot, database: Database) -> None:
    """Raise ``ClashError`` or ``DriftError`` as autogenerate does, for the revisions that the database has."""
    from sg_migrate.database.drift import check_clashes, describe, drift
    from sg_migrate.errors import DriftError, SettingsError
    from sg_migrate.review.selection import applied

    check_clashes(database.connection, found.built, found.model(snapshot.schema))
    if found.settings.drift == "ignore" or not applied(found, database):
        return
    known = {script.revision for script in found.scripts.walk_revisions()}
    built = found.history(database.dialect).built([head for head in database.heads if head in known])
    differences = [describe(operation) for operation in drift(database.connection, built)]
    if differences and found.settings.drift == "repair":
        raise SettingsError("drift = repair takes `alembic revision --autogenerate`, which works on the database.")
    if differences:
        raise DriftError(differences)


def _write_snapshot(found: Project, snapshot: Snapshot, script: Script | None) -> None:
    """The snapshot beside its revision: both are written, or neither."""
    from sg_migrate.errors import SnapshotError
    from sg_migrate.site.snapshot import write_snapshot

    try:
        if write_snapshot(found.snapshot_path, snapshot):
            click.echo(f"{found.snapshot_path}: written", err=True)
    except SnapshotError:
        if script is not None:
            Path(script.path).unlink()
        raise


def _exit_code(result: Review) -> int:
    from sg_migrate.review.findings import Level

    return LOOK if result.level >= Level.LOSSY else DIFFERS
