"""Setting values aside in a project: a person's decision, written into the snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from sg_migrate.revisions.project import Project
from sg_migrate.site.lock import locked
from sg_migrate.site.snapshot import Snapshot, write_snapshot
from sg_migrate.warehouse.setting_aside import Values, choose_values, mark_set_aside


def set_aside(project: Project, patterns: Sequence[str], *, dry_run: bool = False) -> list[Values]:
    """Mark values as to be set aside: the next revision keeps them apart, and its downgrade puts them back.

    Args:
        project: the project; its database is not touched.
        patterns: fields or entity types, as in the settings ``include`` and ``exclude``.
        dry_run: write nothing.

    Returns:
        What is marked, or would be.

    Raises:
        SetAsideError: something that is named is not on the site, or not built.
        SnapshotError: the snapshot cannot be read or written.
    """
    with locked(project.snapshot_path):
        ledger = project.required_snapshot().schema
        chosen = choose_values(project.shown(ledger), project.built, patterns)
        if not dry_run:
            write_snapshot(project.snapshot_path, Snapshot(mark_set_aside(ledger, chosen)))
    return chosen
