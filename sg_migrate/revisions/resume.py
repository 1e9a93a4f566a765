"""Finishing a revision that stopped half way on MySQL or MariaDB, where DDL cannot be taken back.

The revision is replayed operation by operation: each prefix of its operations is a state that the database may be in.
The one it is in, by reflection, says which operations have run. Then the revision runs again with those left out, and
is stamped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.config import Config
from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from sg_migrate.alembic_log import quiet
from sg_migrate.alembic_private import downgrade_steps, invoke_implementation, override, upgrade_steps
from sg_migrate.conversion.operations import COMPOSITE, RestoreColumnOp, RestoreLinksOp
from sg_migrate.database.matching import Reflected, matching
from sg_migrate.errors import ResumeError, UnprovenError
from sg_migrate.revisions.fold import Fold
from sg_migrate.revisions.recorder import Call, batches
from sg_migrate.revisions.replay import History, Step, is_ours
from sg_migrate.warehouse.state import State


@dataclass(frozen=True)
class Resumed:
    """What was finished: the revision, which way, and how many of its operations had run and have run now."""

    revision: str
    direction: str
    had_run: int
    ran_now: int


@dataclass(frozen=True)
class _Stopped:
    """A step that stopped half way: of its atoms so many have run, and so many may have."""

    step: RevisionStep
    atoms: list[_Atom]
    had_run: int
    may_have_run: int


@dataclass(frozen=True)
class _Atom:
    """One statement's worth of a revision; ``by_hand``: a statement that a person wrote, which leaves no trace."""

    operation: MigrateOperation
    by_hand: bool


def resume(config: Config, ask: Callable[[str], bool] | None = None) -> Resumed | None:
    """Finish the revision that stopped half way, and stamp it; ``None`` when none did.

    Goes through the project's env.py, as ``alembic upgrade`` does. Runs no other revision. On an engine with
    transactional DDL there is never anything to finish.

    Args:
        config: the project's.
        ask: called with a statement of the revision that leaves no trace in the tables, so that nobody can tell
            whether it has run; says whether to run it. Without it, `UnprovenError` is raised.

    Raises:
        ResumeError: the database is in no state that a half-run revision leaves behind; nothing was changed.
        UnprovenError: nobody can tell whether a statement has run; nothing was changed.
    """
    scripts = ScriptDirectory.from_config(config)
    config.attributes["sg_resumes"] = True  # what guards a whole revision does not fit a part of one
    found: list[Resumed] = []

    def steps(heads: tuple[str, ...], context: MigrationContext) -> list[RevisionStep]:
        if context.dialect.name not in ("mysql", "mariadb"):
            return []
        stopped = _stopped(History(scripts, context.dialect.name), heads, context)
        if stopped is None:
            return []
        step = stopped.step
        skipped = _skipped(stopped, step.revision.revision, ask)
        function = step.migration_fn
        step.migration_fn = lambda **_: _run(context, function, skipped)
        direction = "upgrade" if step.is_upgrade else "downgrade"
        count = len(stopped.atoms) - len(skipped)
        found.append(Resumed(step.revision.revision, direction, len(skipped), count))
        return [step]

    with EnvironmentContext(config, scripts, fn=steps):
        scripts.run_env()
    return found[0] if found else None


def _stopped(history: History, heads: tuple[str, ...], context: MigrationContext) -> _Stopped | None:
    """The step that stopped half way, with its operations one by one."""
    ahead = upgrade_steps(history.scripts, "heads", heads)[:1]
    back = downgrade_steps(history.scripts, "-1", heads[0]) if len(heads) == 1 else []
    built = history.built(heads)
    lost = []
    reflected = Reflected(context)
    for step in (*ahead, *back):
        if not is_ours(step.revision):
            continue
        one = history.step(step.revision, is_upgrade=step.is_upgrade, fold=Fold(built))
        if one.error is not None:
            raise one.error
        atoms = [
            _Atom(atom, isinstance(call.operation, ops.ExecuteSQLOp | ops.BulkInsertOp))
            for call in one.calls
            for atom in expand(call.operation, context)
        ]
        prefixes = matching(reflected, _states(one, atoms))
        if not prefixes:
            lost.append(step.revision.revision)
        elif prefixes[0] > 0 or any(atom.by_hand for atom in atoms[: prefixes[-1]]):
            return _Stopped(step, atoms, prefixes[0], prefixes[-1])
    if lost:
        raise ResumeError(lost[0])
    return None


def _states(step: Step, atoms: list[_Atom]) -> list[State]:
    """What is built after none, one, two, ... of the atoms."""
    fold = Fold(step.before)
    states: list[State] = [fold.state]
    for atom in atoms:
        fold.apply(Call(atom.operation), step.revision.revision)
        states.append(fold.state)
    return states


def _skipped(stopped: _Stopped, revision: str, ask: Callable[[str], bool] | None) -> set[int]:
    """The atoms that are not run again: those that have run, and those of which a person says so.

    What we move ourselves fills only what is empty, and may run twice; nobody knows that of a person's statement.
    """
    skipped = set(range(stopped.had_run))
    for index in range(stopped.had_run, stopped.may_have_run):
        atom = stopped.atoms[index]
        if not atom.by_hand:
            continue
        operation = atom.operation
        text = str(operation.sqltext) if isinstance(operation, ops.ExecuteSQLOp) else "op.bulk_insert"
        if ask is None:
            raise UnprovenError(revision, text)
        if not ask(text):
            skipped.add(index)
    return skipped


def expand(operation: MigrateOperation, context: MigrationContext) -> list[MigrateOperation]:
    """The operations that ``operation`` consists of: a conversion renames a column, adds one and moves values."""
    if not isinstance(operation, COMPOSITE):
        return [operation]
    with quiet():
        script = MigrationContext.configure(
            dialect=context.dialect, opts={"as_sql": True, "output_buffer": io.StringIO()}
        )
    operations = Operations(script)
    atoms: list[MigrateOperation] = []
    override(operations, invoke=atoms.append)
    invoke_implementation(operations, operation)
    return atoms


def _run(context: MigrationContext, function: Callable[[], None], skipped: set[int]) -> None:
    """Run a revision's function without the atoms that are skipped."""
    with Operations.context(context) as operations:
        rest = _Rest(operations, skipped)
        override(operations, invoke=rest.invoke, batch_alter_table=rest.batch)
        function()


class _Rest:
    """Stands in for ``Operations.invoke``: counts atoms, and leaves some out."""

    def __init__(self, operations: Operations, skipped: set[int]) -> None:
        self.operations = operations
        self.skipped = skipped
        self.index = 0

    def invoke(self, operation: MigrateOperation, *, batch: bool = False) -> Any:
        context = self.operations.get_context()
        atoms = expand(operation, context)
        begin = self.index
        own = set(range(begin, begin + len(atoms)))
        if own <= self.skipped:
            self.index += len(atoms)
            return operation.to_table(context) if isinstance(operation, ops.CreateTableOp) else None
        if not isinstance(operation, COMPOSITE):
            self.index += 1
            return Operations.invoke(self.operations, operation)
        if isinstance(operation, RestoreColumnOp | RestoreLinksOp) and own & self.skipped:
            for atom in atoms:  # it began, so it has asked already whether values would be lost
                self.invoke(atom)
            return None
        Operations.invoke(self.operations, operation)  # what it consists of comes through here again
        self.index = begin + len(atoms)
        return None

    @contextmanager
    def batch(self, table_name: str, schema: str | None = None, **_: Any) -> Iterator[BatchOperations]:
        with batches(self.operations.get_context(), table_name, schema, self.invoke) as batch:
            yield batch
