"""Squashing a history: everything up to a revision becomes one revision of the same id that builds the same."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.operations import MigrateOperation, ops
from alembic.script import Script

from sg_migrate.errors import SquashError
from sg_migrate.revisions.generate import revision
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.replay import DIALECTS, Step, is_ours
from sg_migrate.revisions.summary import created
from sg_migrate.site.atomic import replace_file
from sg_migrate.site.lock import locked
from sg_migrate.site.snapshot import Snapshot
from sg_migrate.text import clean
from sg_migrate.warehouse.mark import mark_of
from sg_migrate.warehouse.state import State


@dataclass(frozen=True, slots=True)
class Squashed:
    """What became of a history: the file, and the revisions that are in it now."""

    path: Path
    replaced: tuple[str, ...]


def squash(project: Project, name: str, *, dry_run: bool = False) -> Squashed:
    """Replace everything up to a revision by one revision of its id.

    A database that is at it, or past it, goes on as before. One that is before it is told what to do
    (`SquashedRevisionError`). No database is touched or asked.

    Args:
        project: the project.
        name: the revision, whole or the beginning of it.
        dry_run: find out whether it can be done, and write nothing.

    Raises:
        SquashError: it cannot be done; nothing was changed.
        FilesBusyError: another command is writing the project's files.
    """
    with locked(project.snapshot_path):
        last = _revision(project, name)
        scripts = [script for script in project.history().order if script.revision in _up_to(project, last)]
        leftover = _leftover(project, last)
        if leftover:  # a squash that was killed after its file was written
            return _finished(last, leftover, dry_run=dry_run)
        if len(scripts) < 2:
            raise SquashError(last.revision, "there is nothing before it.")
        _check(project, last, scripts)
        text = _text(project, last, scripts)
        if not dry_run:
            replace_file(Path(last.path), text.encode())
        return _finished(last, scripts[:-1], dry_run=dry_run)


def _finished(last: Script, replaced: Sequence[Script], *, dry_run: bool) -> Squashed:
    for script in reversed(replaced):  # from the newest: what is left is a history at any moment
        if not dry_run:
            Path(script.path).unlink()
    return Squashed(Path(last.path), tuple(script.revision for script in replaced))


def _revision(project: Project, name: str) -> Script:
    found = project.scripts.get_revision(name)
    if found is None:
        raise SquashError(name, "there is no such revision.")
    return found


def _up_to(project: Project, last: Script) -> set[str]:
    return project.history().ancestors([last.revision])


def replaces(script: Script) -> tuple[str, ...]:
    """The revisions that a squashed one stands for."""
    return tuple(getattr(script.module, "sg_replaces", ()))


def _leftover(project: Project, last: Script) -> list[Script]:
    gone = set(replaces(last))
    return (
        [script for script in project.history().order if script.revision in gone] if last.down_revision is None else []
    )


def _check(project: Project, last: Script, scripts: Sequence[Script]) -> None:
    """Raise `SquashError` if something of the history would be lost."""
    history = project.history()
    for script in history.order:
        if script not in scripts and last.revision not in history.ancestors([script.revision]):
            raise SquashError(last.revision, f"{script.revision} does not stand on it: merge the branches first.")
    for script in scripts:
        where = f"{Path(script.path).name} ({script.revision})"
        if not is_ours(script):
            raise SquashError(last.revision, f"{where} is not sg_migrate's, and what it does would be lost.")
        if script.branch_labels or script.dependencies:
            raise SquashError(last.revision, f"{where} has branch labels or dependencies.")
    for step in history.upgrades([last.revision]):
        for number, operation in _of_others(step):
            where = f"{Path(step.revision.path).name}, line {number}"
            raise SquashError(last.revision, f"{where}: {operation} is not of the site's tables, and would be lost.")


def _of_others(step: Step) -> Iterator[tuple[int | None, str]]:
    """What a revision does that is in no state: statements, and tables, columns, indexes and keys of somebody's own."""
    states = [*step.states, step.after]
    for call, after in zip(step.calls, states[1:], strict=True):
        if not _is_of_the_site(call.operation, after, step.before):
            yield call.line, type(call.operation).__name__.removesuffix("Op")


def _is_of_the_site(operation: MigrateOperation, after: State, before: State) -> bool:
    if isinstance(operation, ops.ExecuteSQLOp | ops.BulkInsertOp):
        return False
    table: Any = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    if isinstance(operation, ops.AddColumnOp):
        return table in after and mark_of(operation.column) is not None
    if isinstance(operation, ops.CreateIndexOp):
        return table in after and operation.index_name in after[table].indexes
    if isinstance(operation, ops.AddConstraintOp):
        return table in after and getattr(operation, "constraint_name", None) in after[table].foreign_keys
    if isinstance(operation, ops.RenameTableOp):
        return operation.new_table_name in after
    return table is None or table in after or table in before


def _text(project: Project, last: Script, scripts: Sequence[Script]) -> str:
    """The new file. Raises `SquashError` unless it builds on every dialect what the history builds."""
    built = project.history().built([last.revision])
    snapshot = project.stored_snapshot() or Snapshot(project.site())
    message = f"{len(scripts)} revisions in one, up to: {clean(last.doc or last.revision)}"
    with tempfile.TemporaryDirectory() as folder:
        project.config.attributes["sg_model"] = built
        try:
            made = revision(project, snapshot, message, rev_id=last.revision, folder=Path(folder), alone=True)
        finally:
            del project.config.attributes["sg_model"]
        if made is None:
            raise SquashError(last.revision, "nothing is built up to it.")
        alone, script = made
        for dialect in DIALECTS:
            if dict(alone.history(dialect).built()) != dict(project.history(dialect).built([last.revision])):
                raise SquashError(last.revision, f"one revision would not build the same on {dialect}.")
        text = Path(script.path).read_text(encoding="utf-8")
    return _with_history(text, last, scripts)


def _with_history(text: str, last: Script, scripts: Sequence[Script]) -> str:
    """A generated file that tells of the revisions it stands for, and has the date and the digest of the last one."""
    told = [f"  {created(one)} {one.revision}  {clean(one.doc or '')}".rstrip() for one in scripts]
    lines = "\n".join(told).replace("\\", "/").replace('"""', '"').replace('""', '"')
    text = re.sub(r"^Revision ID:", lambda found: f"{lines}\n\n{found[0]}", text, count=1, flags=re.MULTILINE)
    date = re.search(r"^Create Date: .*$", last.longdoc or "", re.MULTILINE)
    if date:
        text = re.sub(r"^Create Date: .*$", lambda _: date[0], text, count=1, flags=re.MULTILINE)
    before = [name for one in scripts for name in (*replaces(one), one.revision) if name != last.revision]
    digest = getattr(last.module, "sg_digest", None)
    names = "".join(f"    {name!r},\n" for name in dict.fromkeys(before))
    known = f"sg_digest: Union[str, None] = {digest!r}\n# The revisions that are in this one now.\n"
    known += f"sg_replaces = (\n{names})"
    return re.sub(r"^sg_digest\b.*$", lambda _: known, text, count=1, flags=re.MULTILINE)
