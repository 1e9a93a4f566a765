"""Replay: the revisions run against the recorder, in Alembic's own order and for a named dialect. No database is asked.

The one loop that records and folds. What is built, the review, the guards of a migration and ``resume`` read its
steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from alembic.runtime.migration import MigrationStep, RevisionStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionMap

from sg_migrate.alembic_private import stands_on, upgrade_steps
from sg_migrate.errors import ContradictionError, FoldError, RecordingError
from sg_migrate.revisions.fold import Fold
from sg_migrate.revisions.recorder import Call, record
from sg_migrate.revisions.states import States
from sg_migrate.warehouse.comments import UNSETTLED
from sg_migrate.warehouse.state import State, TableState

DIALECTS: Final = ("postgresql", "sqlite", "mysql", "mariadb")
ANY: Final = "postgresql"
"""The dialect that stands for all where none is named: a revision does not depend on where it was generated."""


@dataclass(frozen=True, slots=True)
class Step:
    """One function of a revision, run against the recorder.

    Attributes:
        revision: the revision.
        is_upgrade: whether it is ``upgrade()``.
        calls: its operations, in their order.
        before: what is built before it.
        after: what is built after it.
        states: what is built before each operation.
        problem: why it could not be run to its end.
        misfit: why it does not fit what is built.
    """

    revision: Script
    is_upgrade: bool
    calls: tuple[Call, ...]
    before: State
    after: State
    states: States
    problem: RecordingError | None = None
    misfit: FoldError | None = None

    @property
    def error(self) -> RecordingError | FoldError | None:
        """What is wrong with it, if anything is."""
        return self.problem or self.misfit


def is_ours(script: Script) -> bool:
    """Whether the revision is one that sg_migrate reads: its file has the variable ``sg_digest``."""
    return hasattr(script.module, "sg_digest")


class History:
    """The revisions of a project as one dialect runs them.

    Args:
        scripts: the Alembic script directory.
        dialect: ``postgresql``, ``sqlite``, ``mysql`` or ``mariadb``.
    """

    def __init__(self, scripts: ScriptDirectory, dialect: str = ANY) -> None:
        self.scripts = scripts
        self.dialect = dialect
        self._recorded: dict[tuple[str, bool], tuple[list[Call], RecordingError | None]] = {}
        self._built: dict[frozenset[str], State] = {frozenset(): {}}

    @cached_property
    def order(self) -> tuple[Script, ...]:
        """All revisions in the order in which Alembic upgrades a new database."""
        return tuple(step.revision for step in upgrade_steps(self.scripts, "heads", ()))

    def upgrade_order(self, heads: Iterable[str]) -> list[Script]:
        """The revisions up to ``heads``, in the order in which Alembic upgrades a new database."""
        wanted = self.ancestors(heads)
        return [script for script in self.order if script.revision in wanted]

    def ancestors(self, revisions: Iterable[str]) -> set[str]:
        """These revisions and all that they stand on."""
        found: set[str] = set()
        waiting = list(revisions)
        while waiting:
            revision = waiting.pop()
            if revision not in found:
                found.add(revision)
                waiting.extend(stands_on(self.scripts.revision_map.get_revision(revision)))  # type: ignore[arg-type]
        return found

    def built(self, heads: Iterable[str] | None = None) -> State:
        """The tables that the revisions up to ``heads`` have built, by name.

        Args:
            heads: revision ids, each taken with all that it stands on; the heads of the project when left out.

        Raises:
            RecordingError: a revision of ours cannot be run without a database.
            FoldError: a revision changes something of ours that is not there.
            ContradictionError: what is built depends on the order of two branches.
        """
        key = frozenset(self.scripts.get_heads() if heads is None else heads)
        if key not in self._built:
            after: State = {}
            for step in self.upgrades(key):
                after = step.after
            self._built[key] = dict(sorted(after.items()))
        return self._built[key]

    def upgrades(self, heads: Iterable[str] | None = None) -> Iterator[Step]:
        """The upgrades of a new database up to ``heads``, one after the other. Arguments and errors as `built`."""
        order = self.upgrade_order(self.scripts.get_heads() if heads is None else heads)
        for step in self.replay([MigrationStep.upgrade_from_script(self._map, script) for script in order], {}):
            if step.error is not None:
                raise step.error
            yield step

    @property
    def _map(self) -> RevisionMap:
        return self.scripts.revision_map

    def replay(self, steps: Iterable[RevisionStep], before: State) -> Iterator[Step]:
        """Run Alembic's steps one after the other; raises nothing for a revision that is wrong in itself.

        Args:
            steps: as Alembic gives them.
            before: what is built before the first.

        Raises:
            ContradictionError: what a merge builds depends on the order of its branches.
        """
        fold = Fold(before)
        for step in steps:
            found = self.step(step.revision, is_upgrade=step.is_upgrade, fold=fold)
            if step.is_upgrade and step.revision.is_merge_point:
                settled = self._settled(step.revision, found.after)
                fold = Fold(settled)
                found = replace(found, after=settled)
            yield found

    def step(self, script: Script, *, is_upgrade: bool, fold: Fold, foreign: bool = False) -> Step:
        """Run one function of a revision on what is built before it.

        Args:
            script: the revision.
            is_upgrade: whether to run ``upgrade()``.
            fold: what is built before it; the operations are applied to it.
            foreign: run a revision that is not ours too; its operations build nothing.
        """
        ours = is_ours(script)
        calls, problem = self._record(script, is_upgrade) if ours or foreign else ([], None)
        before = fold.state
        states = States(before)
        misfit = None
        for call in calls:
            try:
                if ours:
                    fold.apply(call, script.revision)
            except FoldError as error:
                misfit = misfit or error
            states.add({name: fold.table(name) for name in fold.touched} if ours else {})
        return Step(script, is_upgrade, tuple(calls), before, fold.state, states, problem, misfit)

    def _record(self, script: Script, is_upgrade: bool) -> tuple[list[Call], RecordingError | None]:
        key = (script.revision, is_upgrade)
        if key not in self._recorded:
            function = getattr(script.module, "upgrade" if is_upgrade else "downgrade", None)
            self._recorded[key] = record(function, script.revision, self.dialect) if function else ([], None)
        return self._recorded[key]

    # --- branches

    def _settled(self, merge: Script, merged: State) -> State:
        """What a merge builds, whichever of its branches ran first on a database.

        A comment that depends on it is `UNSETTLED`: the next revision sets it. For anything else there is no remedy
        but another revision.
        """
        ancestors = [self.ancestors([revision]) for revision in stands_on(merge)]
        base = set.intersection(*ancestors)
        order = [script for script in self.upgrade_order(stands_on(merge)) if script.revision not in base]
        branches = [[script for script in order if script.revision in of] for of in ancestors]
        if sum(any(is_ours(script) for script in branch) for branch in branches) < 2:
            return merged
        start = self._of(self.upgrade_order(base), {})
        own = self._of(order, start) if start is not None else None
        if start is None or own is None:
            return merged  # a revision does not fit, and says so itself
        found: set[tuple[str, str]] = set()
        contested: set[tuple[str, str]] = set()
        for branch in branches:
            rest = [script for script in order if script not in branch]
            for one in ([*branch, *rest], [*rest, *branch]):
                other = self._of(one, start)
                if other is not None and one != order:
                    comments, objects = _differences(own, other)
                    found |= comments
                    contested |= objects
        if contested:
            names = sorted(f"{table}.{column}" if column else table for table, column in contested)
            raise ContradictionError(merge.revision, sorted(stands_on(merge)), names)
        return _unsettled(merged, found)

    def _of(self, order: Sequence[Script], start: State) -> State | None:
        """What is built by revisions in this order; ``None`` where they do not fit: no database can have run so."""
        fold = Fold(start)
        for script in order:
            step = self.step(script, is_upgrade=True, fold=fold)
            if step.error is not None:
                return None
        return fold.state


def _differences(one: State, other: State) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The tables and columns whose comments differ, and those of which anything else does."""
    comments: set[tuple[str, str]] = set()
    others: set[tuple[str, str]] = set()
    for name in one.keys() | other.keys():
        table, now = one.get(name), other.get(name)
        if table == now:
            continue
        if table is None or now is None or _bare(table) != _bare(now):
            others.add((name, ""))
            continue
        if table.comment != now.comment:
            comments.add((name, ""))
        for column in table.columns.keys() | now.columns.keys():
            before, after = table.columns.get(column), now.columns.get(column)
            if before == after:
                continue
            if before is None or after is None or replace(before, comment=None) != replace(after, comment=None):
                others.add((name, column))
            else:
                comments.add((name, column))
    return comments, others


def _bare(table: TableState) -> TableState:
    return replace(table, columns={}, comment=None)


def _unsettled(state: State, objects: set[tuple[str, str]]) -> State:
    """``state`` with these comments unknown."""
    tables = dict(state)
    for table, column in objects:
        if column and column in tables[table].columns:
            changed = replace(tables[table].columns[column], comment=UNSETTLED)
            tables[table] = tables[table].with_column(changed, replaced=column)
        elif not column:
            tables[table] = replace(tables[table], comment=UNSETTLED)
    return tables
