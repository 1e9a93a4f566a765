"""Pruning in a project: a person's decision that something retired may be dropped, written into the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sg_migrate.revisions.project import Project
from sg_migrate.site.lock import locked
from sg_migrate.site.snapshot import Snapshot, write_snapshot
from sg_migrate.warehouse.pruning import Prunable, choose, mark_dropped, prunable


def prune(
    project: Project, patterns: Sequence[str], before: date | None = None, *, dry_run: bool = False
) -> list[Prunable]:
    """Mark what is retired as dropped: the next revision drops its tables, columns and indexes.

    Args:
        project: the project; its database is not touched.
        patterns: names, as in the settings ``include`` and ``exclude``; none with ``before`` means everything.
        before: only what was retired earlier.
        dry_run: write nothing.

    Returns:
        What is marked, or would be.

    Raises:
        PruneError: something that is named is not retired.
        SnapshotError: the snapshot cannot be read or written.
    """
    with locked(project.snapshot_path):
        ledger = project.required_snapshot().schema
        chosen = choose(prunable(project.shown(ledger), project.built), ledger, patterns, before)
        if not dry_run:
            write_snapshot(project.snapshot_path, Snapshot(mark_dropped(ledger, chosen, date.today())))
    return chosen
