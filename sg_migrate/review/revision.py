"""What is judged: a revision as operations, with the built state before and after. No database is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from alembic.operations import MigrateOperation, ops
from alembic.script import Script

from sg_migrate.database.reading import Database
from sg_migrate.errors import FoldError, RecordingError
from sg_migrate.review.state_schema import joined, schema_of
from sg_migrate.revisions.built import Fold, built_state, is_ours
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.recorder import Call, record_calls
from sg_migrate.site.schema import SiteSchema
from sg_migrate.warehouse.state import ColumnState, Mark, State


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a revision, with what is built and what the revision itself created just before it."""

    call: Call
    before: State
    created: frozenset[str]
    """Tables that the same function created before this operation."""

    @property
    def operation(self) -> MigrateOperation:
        """The operation."""
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
class Side:
    """One function of a revision, run against the recorder.

    ``problem`` says why it could not be run to its end, ``misfit`` why it does not fit what is built.
    """

    steps: tuple[Step, ...]
    after: State
    problem: str = ""
    misfit: str = ""
    refuses: bool = False
    """Whether it raises ``NotImplementedError``: it will not be run, on purpose."""


class Subject:
    """A revision under review.

    Args:
        project: where it belongs.
        script: the revision; any, ours or not.
        dialect: the dialect whose rules count: ``sqlite``, ``postgresql``, ``mysql`` or ``mariadb``.
        database: a database to ask, if there is one.
    """

    def __init__(self, project: Project, script: Script, dialect: str, database: Database | None = None) -> None:
        self.project = project
        self.script = script
        self.dialect = dialect
        self.database = database
        self.ours = is_ours(script)
        self.before_problem = ""
        self.before = self._before()
        self.upgrade = self._side("upgrade", self.before)
        self.downgrade = self._side("downgrade", self.upgrade.after)

    @property
    def after(self) -> State:
        """What is built after the upgrade."""
        return self.upgrade.after

    @cached_property
    def site(self) -> SiteSchema:
        """The site as it was at this revision, for display names: from the comments, helped by the snapshot."""
        snapshot = self.project.stored_snapshot()
        known = snapshot.schema if snapshot else None
        return joined(schema_of(self.before, known), schema_of(self.after, known))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The upgrade's operations."""
        return self.upgrade.steps

    @property
    def is_first(self) -> bool:
        """Whether it is the first revision of a site."""
        return not self.before and bool(self.after)

    def _before(self) -> State:
        try:
            return built_state(self.project.scripts, self.script._all_down_revisions)
        except (RecordingError, FoldError) as error:
            self.before_problem = str(error)
            return {}

    def _side(self, name: str, before: State) -> Side:
        function = getattr(self.script.module, name, None)
        if function is None:
            return Side((), before)
        problem, refuses, calls = "", False, []
        try:
            calls = record_calls(function, self.script.revision)
        except RecordingError as error:
            problem = str(error).removeprefix(f"Revision {self.script.revision} cannot be read without a database: ")
            problem = problem.split(". If it builds nothing")[0]
            refuses = isinstance(error.__cause__, NotImplementedError)
        return self._folded(calls, before, problem, refuses)

    def _folded(self, calls: Iterable[Call], before: State, problem: str, refuses: bool) -> Side:
        """The steps with the state before each; operations of a revision that is not ours build nothing."""
        fold = Fold(before)
        steps: list[Step] = []
        created: set[str] = set()
        misfit = ""
        for call in calls:
            steps.append(Step(call, dict(fold.tables), frozenset(created)))
            if isinstance(call.operation, ops.CreateTableOp):
                created.add(call.operation.table_name)
            if isinstance(call.operation, ops.RenameTableOp) and call.operation.table_name in created:
                created.add(str(call.operation.new_table_name))
            try:
                if self.ours:
                    fold.apply([call.operation], self.script.revision)
            except FoldError as error:
                misfit = misfit or str(error)
        return Side(tuple(steps), fold.tables, problem, misfit, refuses)

    def on_existing_tables(self, *kinds: type[MigrateOperation]) -> Iterator[tuple[Step, str]]:
        """Steps of these kinds whose table was there before the upgrade, with its name."""
        for step in self.steps:
            if isinstance(step.operation, kinds):
                table = table_of(step.operation)
                if table and table not in step.created:
                    yield step, table


_TABLE_ATTRIBUTES: tuple[str, ...] = ("table_name", "source_table")


def table_of(operation: MigrateOperation) -> str:
    """The name of the table that an operation is about; empty for those that name none."""
    for attribute in _TABLE_ATTRIBUTES:
        name = getattr(operation, attribute, None)
        if name:
            return str(name)
    return ""
