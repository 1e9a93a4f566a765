"""What is reviewed: a revision as operations, with the built state before and after. No database is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from alembic.operations import MigrateOperation, ops
from alembic.script import Script

from sg_migrate.alembic_private import stands_on
from sg_migrate.database.reading import Database
from sg_migrate.errors import ContradictionError, FoldError, RecordingError
from sg_migrate.revisions.fold import Fold
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.recorder import Call
from sg_migrate.revisions.replay import Step, is_ours
from sg_migrate.site.schema import SiteSchema
from sg_migrate.warehouse.mark import Mark
from sg_migrate.warehouse.state import ColumnState, State
from sg_migrate.warehouse.transition import Change, Transition, transition


@dataclass(frozen=True, slots=True)
class Created:
    """The tables that a function has created before one of its operations."""

    since: Mapping[str, int]
    """The number of the operation that made each table."""
    number: int

    def __contains__(self, table: object) -> bool:
        return isinstance(table, str) and self.since.get(table, self.number) < self.number


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a revision, with what is built and what the revision itself created just before it."""

    call: Call
    before: State
    created: Created
    """Tables that the same function created before this operation."""

    @property
    def operation(self) -> MigrateOperation:
        """Alembic's value."""
        return self.call.operation

    def mark(self, table: str, column: str = "") -> Mark | None:
        """The field or entity type that a table or column stands for; ``None`` for what is not ours."""
        if column:
            found = self.column(table, column)
            return found.mark if found else None
        return self.before[table].mark if table in self.before else None

    def column(self, table: str, column: str) -> ColumnState | None:
        """A column of ours as it is before this operation."""
        return self.before[table].columns.get(column) if table in self.before else None


@dataclass(frozen=True, slots=True)
class ReplayedFunction:
    """One function of a revision, replayed.

    ``problem`` says why it could not be run to its end, ``misfit`` why it does not fit what is built.
    """

    steps: tuple[Operation, ...]
    after: State
    problem: str = ""
    misfit: str = ""
    refuses: bool = False
    """Whether it raises ``NotImplementedError``: it will not be run, on purpose."""


class RevisionUnderReview:
    """A revision as one dialect runs it.

    Args:
        project: where it belongs.
        script: the revision; any, ours or not.
        dialect: the dialect that runs it: ``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``.
        database: a database to ask, if there is one.
    """

    def __init__(self, project: Project, script: Script, dialect: str, database: Database | None = None) -> None:
        self.project = project
        self.script = script
        self.dialect = dialect
        self.database = database
        self.ours = is_ours(script)
        self._history = project.history(dialect)
        self.before_problem = ""
        self.before = self._before()
        self.upgrade = self._side(is_upgrade=True, before=self.before)
        self.downgrade = self._side(is_upgrade=False, before=self.upgrade.after)

    @property
    def after(self) -> State:
        """What is built after the upgrade."""
        return self.upgrade.after

    @cached_property
    def transition(self) -> Transition:
        """What the upgrade does, in site terms."""
        return transition(self.before, self.after)

    @cached_property
    def site(self) -> SiteSchema:
        """Where display names are looked up: the snapshot, with what has retired."""
        return self.project.site()

    @property
    def steps(self) -> tuple[Operation, ...]:
        """The upgrade's operations."""
        return self.upgrade.steps

    @cached_property
    def added(self) -> frozenset[tuple[str, str]]:
        """The tables, as ``(table, "")``, and columns that the upgrade adds, whoever they belong to."""
        operations = [step.operation for step in self.steps]
        tables = {(op.table_name, "") for op in operations if isinstance(op, ops.CreateTableOp)}
        return frozenset(
            tables | {(op.table_name, op.column.name) for op in operations if isinstance(op, ops.AddColumnOp)}
        )

    @property
    def is_first(self) -> bool:
        """Whether it is the first revision of a site."""
        return not self.before and bool(self.after)

    def line_of(self, change: Change) -> int | None:
        """The line of the file that makes a change, where one operation does."""
        names = {*change.new_names, *change.old_names}
        for step in self.steps:
            op = step.operation
            told = [getattr(op, name, None) for name in ("modify_name", "new_table_name", "column_name")]
            former = getattr(getattr(op, "former", None), "name", None)
            if names.intersection(str(name) for name in (*told, former) if name):
                return step.call.line
        return None

    def runs_like(self, other: RevisionUnderReview) -> bool:
        """Whether another dialect runs the same operations of it."""
        return [_told(step) for side in (self.upgrade, self.downgrade) for step in side.steps] == [
            _told(step) for side in (other.upgrade, other.downgrade) for step in side.steps
        ] and (dict(self.after), self.upgrade.problem) == (dict(other.after), other.upgrade.problem)

    def _before(self) -> State:
        try:
            return self._history.built(stands_on(self.script))
        except (RecordingError, FoldError, ContradictionError) as error:
            self.before_problem = str(error)
            return {}

    def _side(self, *, is_upgrade: bool, before: State) -> ReplayedFunction:
        fold = Fold(before)
        found = self._history.step(self.script, is_upgrade=is_upgrade, fold=fold, foreign=True)
        problem = found.problem.problem if found.problem else ""
        refuses = bool(found.problem and isinstance(found.problem.__cause__, NotImplementedError))
        misfit = str(found.misfit) if found.misfit else ""
        return ReplayedFunction(tuple(_operations(found)), found.after, problem, misfit, refuses)

    def on_existing_tables(self, *kinds: type[MigrateOperation]) -> Iterator[tuple[Operation, str]]:
        """Operations of these kinds whose table was there before the upgrade, with its name."""
        for step in self.steps:
            if isinstance(step.operation, kinds):
                table = table_of(step.operation)
                if table and table not in step.created:
                    yield step, table


def _operations(found: Step) -> Iterator[Operation]:
    since: dict[str, int] = {}
    for number, (call, before) in enumerate(zip(found.calls, found.states, strict=True)):
        yield Operation(call, before, Created(since, number))
        if isinstance(call.operation, ops.CreateTableOp):
            since.setdefault(call.operation.table_name, number)
        if isinstance(call.operation, ops.RenameTableOp) and call.operation.table_name in since:
            since.setdefault(str(call.operation.new_table_name), number)


def _told(step: Operation) -> tuple[object, ...]:
    op = step.operation
    return (type(op), step.call.line, step.call.batch, table_of(op), str(getattr(op, "sqltext", "")))


_TABLE_ATTRIBUTES: tuple[str, ...] = ("table_name", "source_table")


def table_of(operation: MigrateOperation) -> str:
    """The name of the table that an operation is about; empty for those that name none."""
    for attribute in _TABLE_ATTRIBUTES:
        name = getattr(operation, attribute, None)
        if name:
            return str(name)
    return ""
