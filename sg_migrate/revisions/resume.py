"""Finishing a revision that stopped half way on MySQL or MariaDB, where DDL cannot be taken back.

The revision's operations are folded one by one: each prefix of them is a state that the database may be in. The one it
is in, by reflection, says which operations have run. Then the revision runs again with those left out, and is stamped.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.config import Config
from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sg_migrate.database.matching import Reflected, matching
from sg_migrate.errors import ResumeError
from sg_migrate.revisions.built import Fold, built_state, is_ours
from sg_migrate.revisions.operations import CarryLinksOp, ConvertColumnOp, RestoreColumnOp, RestoreLinksOp
from sg_migrate.revisions.recorder import batches, quiet, record
from sg_migrate.warehouse.state import State

_COMPOSITE = (ConvertColumnOp, CarryLinksOp, RestoreColumnOp, RestoreLinksOp)


@dataclass(frozen=True)
class Resumed:
    """What was finished: the revision, which way, and how many of its operations had run and have run now."""

    revision: str
    direction: str
    had_run: int
    ran_now: int


def resume(config: Config) -> Resumed | None:
    """Finish the revision that stopped half way, and stamp it; ``None`` when none did.

    Goes through the project's env.py, as ``alembic upgrade`` does. Runs no other revision. On an engine with
    transactional DDL there is never anything to finish.

    Raises:
        ResumeError: the database is in no state that a half-run revision leaves behind; nothing was changed.
    """
    scripts = ScriptDirectory.from_config(config)
    found: list[Resumed] = []

    def steps(heads: tuple[str, ...], context: MigrationContext) -> list[Any]:
        if context.dialect.name not in ("mysql", "mariadb"):
            return []
        stopped = _stopped(scripts, heads, context)
        if stopped is None:
            return []
        step, atoms, boundary = stopped
        function = step.migration_fn
        step.migration_fn = lambda **_: _run(context, function, boundary)
        direction = "upgrade" if step.is_upgrade else "downgrade"
        found.append(Resumed(step.revision.revision, direction, boundary, len(atoms) - boundary))
        return [step]

    with EnvironmentContext(config, scripts, fn=steps):
        scripts.run_env()
    return found[0] if found else None


def _stopped(
    scripts: ScriptDirectory, heads: tuple[str, ...], context: MigrationContext
) -> tuple[Any, list[MigrateOperation], int] | None:
    """The step that stopped half way, its operations, and how many of them have run."""
    ahead = list(scripts._upgrade_revs("heads", heads))[:1]  # type: ignore[arg-type]
    back = list(scripts._downgrade_revs("-1", heads[0])) if len(heads) == 1 else []
    built = built_state(scripts, heads)
    lost = []
    for step in (*ahead, *back):
        if not is_ours(step.revision):
            continue
        atoms = [atom for op in record(step.migration_fn, step.revision.revision) for atom in expand(op, context)]
        states = _states(built, atoms, step.revision.revision)
        prefixes = matching(Reflected(context), states)
        if not prefixes:
            lost.append(step.revision.revision)
        elif prefixes[0] > 0:
            return step, atoms, prefixes[0]
    if lost:
        raise ResumeError(lost[0])
    return None


def _states(built: State, atoms: list[MigrateOperation], revision: str) -> list[State]:
    """What is built after none, one, two, ... of the operations."""
    fold = Fold(built)
    states: list[State] = [dict(fold.tables)]
    for atom in atoms:
        fold.apply([atom], revision)
        states.append(dict(fold.tables))
    return states


def expand(operation: MigrateOperation, context: MigrationContext) -> list[MigrateOperation]:
    """The operations that ``operation`` consists of: a conversion renames a column, adds one and moves values."""
    if not isinstance(operation, _COMPOSITE):
        return [operation]
    with quiet():
        script = MigrationContext.configure(
            dialect=context.dialect, opts={"as_sql": True, "output_buffer": io.StringIO()}
        )
    operations = Operations(script)
    atoms: list[MigrateOperation] = []
    vars(operations)["invoke"] = atoms.append
    Operations._to_impl.dispatch(operation)(operations, operation)
    return atoms


def _run(context: MigrationContext, function: Any, boundary: int) -> None:
    """Run a revision's function without the operations before ``boundary``, which have run."""
    with Operations.context(context) as operations:
        rest = _Rest(operations, boundary)
        vars(operations).update(invoke=rest.invoke, batch_alter_table=rest.batch)
        function()


class _Rest:
    """Stands in for ``Operations.invoke``: counts operations, and runs those from ``boundary`` on."""

    def __init__(self, operations: Operations, boundary: int) -> None:
        self.operations = operations
        self.boundary = boundary
        self.index = 0

    def invoke(self, operation: MigrateOperation, *, batch: bool = False) -> Any:
        context = self.operations.get_context()
        atoms = expand(operation, context)
        begin = self.index
        if begin + len(atoms) <= self.boundary:
            self.index += len(atoms)
            return operation.to_table(context) if isinstance(operation, ops.CreateTableOp) else None
        if not isinstance(operation, _COMPOSITE):
            self.index += 1
            return Operations.invoke(self.operations, operation)
        if isinstance(operation, RestoreColumnOp | RestoreLinksOp) and begin < self.boundary:
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
