"""Following the site in one go: the snapshot, the next revision and its review, without needing a database."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from alembic.script import Script

from sg_migrate.database.drift import check_clashes, describe, drift
from sg_migrate.database.reading import Database
from sg_migrate.errors import DriftError, SettingsError, SnapshotError
from sg_migrate.review.run import Review, review
from sg_migrate.review.selection import applied
from sg_migrate.revisions.generate import revision
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.summary import message_for
from sg_migrate.site.events import NO_EVENTS, SiteEvents, append_events
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.lock import locked
from sg_migrate.site.snapshot import Snapshot, merge, write_snapshot
from sg_migrate.warehouse.transition import transition


@dataclass(frozen=True, slots=True)
class NextRevision:
    """What came of following the site.

    Attributes:
        review: of the revision; ``None`` when there was nothing to do.
        snapshot_written: whether the snapshot file was written.
    """

    review: Review | None
    snapshot_written: bool


def merged_snapshot(project: Project, loaded: Loaded, *, accept_retirements: bool = False) -> Snapshot:
    """The project's ledger after a reading of the site; writes nothing. Raises as `merge` does."""
    accept = accept_retirements or project.settings.accept_retirements
    return merge(project.stored_snapshot(), loaded.schema, today=date.today(), accept_retirements=accept)


def next_revision(
    project: Project,
    snapshot: Snapshot,
    *,
    events: SiteEvents = NO_EVENTS,
    message: str | None = None,
    arguments: Sequence[str] = (),
    rev_id: str | None = None,
    url: str | None = None,
    dry_run: bool = False,
) -> NextRevision:
    """Write the snapshot and the revision that leads to it, both or neither, and review the revision.

    Args:
        project: where the revision belongs.
        snapshot: what the revision leads to.
        events: what the site's log said meanwhile; put beside the snapshot.
        message: for the file; made from the changes when left out.
        arguments: the ``-x`` arguments of this run.
        rev_id: the id; a new one when left out.
        url: a database to check for drift and to count in; the project's own when left out, if it can be reached.
        dry_run: review what would be written, and write nothing.

    Raises:
        ClashError, DriftError: the database has what no revision built, or lacks what one did; nothing was written.
        FilesBusyError: another command is writing the snapshot or a revision of the project.
        RevisionError: no revision can be written.
        SnapshotError: the snapshot cannot be written; the revision is gone again.
        EventsFileError: the events cannot be written; all else is.
    """
    project.config.attributes.update(sg_snapshot=snapshot, sg_events=events)
    with (
        locked(project.snapshot_path),
        project.database(url) as (database, _),
        tempfile.TemporaryDirectory() as temporary,
    ):
        if database is not None:
            _check_database(project, snapshot, database)
        text = message or message_for(transition(project.built, project.model(snapshot.schema)))
        folder = Path(temporary) if dry_run else None
        generated = revision(project, snapshot, text, arguments=arguments, rev_id=rev_id, folder=folder)
        written = False if dry_run else _write_snapshot(project, snapshot, generated[1] if generated else None)
        if not dry_run:
            append_events(project.events_path, events, changed=written)
        dialect = database.dialect if database else project.dialect
        return NextRevision(review(*generated, dialect, database=database) if generated else None, written)


def _check_database(project: Project, snapshot: Snapshot, database: Database) -> None:
    """Raise ``ClashError`` or ``DriftError`` as autogenerate does, for the revisions that the database has."""
    project.check_heads(database.heads)
    check_clashes(database.connection, project.built, project.model(snapshot.schema))
    if project.settings.drift == "ignore" or not applied(project, database):
        return
    built = project.history(database.dialect).built(database.heads)
    differences = [describe(operation) for operation in drift(database.connection, built)]
    if differences and project.settings.drift == "repair":
        raise SettingsError("drift = repair takes `alembic revision --autogenerate`, which works on the database.")
    if differences:
        raise DriftError(differences)


def _write_snapshot(project: Project, snapshot: Snapshot, script: Script | None) -> bool:
    """Write the snapshot beside its revision, or neither."""
    try:
        return write_snapshot(project.snapshot_path, snapshot)
    except SnapshotError:
        if script is not None:
            Path(script.path).unlink()
        raise
