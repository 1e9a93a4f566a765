"""The revision and its place in the history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alembic.operations import MigrateOperation, ops

from sg_migrate.review.allowances import read_allowances
from sg_migrate.review.as_generated import is_as_generated
from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview, table_of
from sg_migrate.revisions.plan import plan
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.transition import transition

HEADS = Rule(
    "SGM301", Level.UNSAFE, "There are several heads",
    "`alembic upgrade head` refuses, and so does whatever writes the next revision.",
    "Merge them: alembic merge heads -m merge.",
)  # fmt: skip
BEHIND_SNAPSHOT = Rule(
    "SGM302", Level.UNSAFE, "The snapshot and the head revision disagree",
    "The snapshot says more, or other things, than the revisions build.",
    "Commit both together; `sg-migrate revision` writes what is missing.",
)  # fmt: skip
EMPTY = Rule(
    "SGM303", Level.SAFE, "The revision is empty",
    "It changes nothing.",
    "Delete the file unless it is meant as a marker; where a database has it already, go down there first.",
)  # fmt: skip
EDITED = Rule(
    "SGM304", Level.SAFE, "The generated part differs from what would be generated",
    "Somebody edited it by hand, or another version of sg_migrate wrote it.",
    "Read the file itself, not only the summary at its top, which nobody updated.",
)  # fmt: skip
NO_WAY_BACK = Rule(
    "SGM305", Level.SAFE, "The downgrade does not lead back",
    "After an upgrade and a downgrade the tables are not what they were.",
    "Complete downgrade(), or keep a backup instead.",
)  # fmt: skip
UNSEEN = Rule(
    "SGM306", Level.UNSAFE, "A revision that sg_migrate does not read changes the site's tables",
    "Without the line `sg_digest = ...` its operations do not count: the next revision is computed without them.",
    "Add `sg_digest = None` to the file, or move the operation to a revision that has the line.",
)  # fmt: skip
MISFIT = Rule(
    "SGM307", Level.UNSAFE, "The revision does not fit what is built before it",
    "The upgrade refuses it: it would fail, or build something else than it says.",
    "Generate it again on top of the present head.",
)  # fmt: skip
NO_REASON = Rule(
    "SGM308", Level.UNSAFE, "An allowance without a code or a reason",
    "It silences nothing: the reason is what the next reader needs.",
    "Write `# sg-migrate: allow SGM102 -- why`.",
)  # fmt: skip

RULES = (HEADS, BEHIND_SNAPSHOT, EMPTY, EDITED, NO_WAY_BACK, UNSEEN, MISFIT, NO_REASON)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    yield from _heads(revision)
    yield from _behind_snapshot(revision)
    yield from _empty(revision)
    yield from _unseen(revision)
    yield from _misfit(revision)
    yield from _no_way_back(revision)
    if _digest(revision) is not None and not is_as_generated(revision):
        yield EDITED.finding("upgrade() or downgrade() is not what sg_migrate writes for this change")
    for allowance in read_allowances(Path(revision.script.path).read_text(encoding="utf-8")):
        if not allowance.codes:
            yield NO_REASON.finding("an allowance names no rule, such as SGM102", line=allowance.line)
        elif not allowance.reason:
            yield NO_REASON.finding(f"{', '.join(allowance.codes)} is allowed without a reason", line=allowance.line)


def _digest(revision: RevisionUnderReview) -> str | None:
    """What the revision says that it leads to; ``None`` for one that was written by hand."""
    digest: str | None = getattr(revision.script.module, "sg_digest", None)
    return digest


def _heads(revision: RevisionUnderReview) -> Iterator[Finding]:
    heads = sorted(revision.project.scripts.get_heads())
    if len(heads) > 1 and revision.script.revision in heads:
        yield HEADS.finding(f"the heads are {', '.join(heads)}")


def _behind_snapshot(revision: RevisionUnderReview) -> Iterator[Finding]:
    project = revision.project
    if project.scripts.get_heads() != [revision.script.revision] or _uncertain(revision):
        return
    snapshot = project.stored_snapshot()
    if snapshot is None or not revision.after:
        return
    # The only head: what is built after it is what the project has built.
    if plan(transition(revision.after, build_state(snapshot.schema, project.settings, revision.after))):
        leads_there = _digest(revision) == project.digest(snapshot)
        yield BEHIND_SNAPSHOT.finding(
            "the revision says that it leads to the snapshot, and does not"
            if leads_there
            else "the snapshot wants what no revision builds"
        )


def _uncertain(revision: RevisionUnderReview) -> bool:
    return bool(revision.before_problem or revision.upgrade.problem or revision.upgrade.misfit)


def _empty(revision: RevisionUnderReview) -> Iterator[Finding]:
    if not revision.steps and not revision.upgrade.problem and not revision.script.is_merge_point:
        yield EMPTY.finding("upgrade() does nothing")


def _unseen(revision: RevisionUnderReview) -> Iterator[Finding]:
    if revision.ours:
        return
    for step in revision.steps:
        table = table_of(step.operation)
        mark = step.mark(table)
        if mark is not None and _shapes(step.operation, revision, table):
            what = f"{_words(step.operation)} on table {table}, and the file has no sg_digest"
            yield UNSEEN.finding(what, mark=mark, table=table, line=step.call.line)


def _shapes(operation: MigrateOperation, revision: RevisionUnderReview, table: str) -> bool:
    """Whether the operation changes what the revisions of the site's tables built; additions do not."""
    built = revision.before[table]
    if isinstance(operation, ops.AddColumnOp | ops.CreateIndexOp | ops.CreateForeignKeyOp):
        return False
    if isinstance(operation, ops.DropColumnOp | ops.AlterColumnOp):
        return operation.column_name in built.columns
    if isinstance(operation, ops.DropIndexOp):
        return operation.index_name in built.indexes
    return isinstance(operation, ops.DropTableOp | ops.RenameTableOp | ops.CreateTableCommentOp)


def _words(operation: MigrateOperation) -> str:
    """``DropTableOp`` -> ``drop table``."""
    name = type(operation).__name__.removesuffix("Op")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _misfit(revision: RevisionUnderReview) -> Iterator[Finding]:
    for side, downgrade in ((revision.upgrade, False), (revision.downgrade, True)):
        if side.misfit:
            yield MISFIT.finding(side.misfit, downgrade=downgrade)


def _no_way_back(revision: RevisionUnderReview) -> Iterator[Finding]:
    if revision.downgrade.refuses:
        yield NO_WAY_BACK.finding("downgrade() refuses to run", downgrade=True)
    elif not revision.ours or _uncertain(revision) or revision.downgrade.problem or revision.downgrade.misfit:
        return
    elif dict(revision.downgrade.after) != dict(revision.before):
        tables = sorted(
            name
            for name in {*revision.downgrade.after, *revision.before}
            if revision.downgrade.after.get(name) != revision.before.get(name)
        )
        shown = ", ".join(tables[:5]) + (f" and {len(tables) - 5} more" if len(tables) > 5 else "")
        yield NO_WAY_BACK.finding(f"after the downgrade these differ from before: {shown}", downgrade=True)
