"""Running a revision's function without a database: its operations, as Alembic's own values.

Only `sg_migrate.revisions.replay` calls it.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType, FunctionType, SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext

from sg_migrate.alembic_log import quiet
from sg_migrate.alembic_private import give_back, override, running_operations
from sg_migrate.errors import RecordingError
from sg_migrate.revisions.operations import MarkTableOp
from sg_migrate.warehouse.mark import Mark


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with how it was invoked.

    ``line`` is that of the revision's file; ``batch``: inside ``batch_alter_table``; ``autocommit``: inside
    ``autocommit_block``, so outside of the transaction.
    """

    operation: MigrateOperation
    line: int | None = None
    batch: bool = False
    autocommit: bool = False


def record(function: Callable[[], None], revision: str, dialect: str) -> tuple[list[Call], RecordingError | None]:
    """The operations that ``function``, a revision's ``upgrade`` or ``downgrade``, invokes, in their order.

    Nothing is executed. The recorder answers that it supports comments, so that blocks guarded by it are recorded.

    Args:
        function: the revision's function.
        revision: its id, for messages.
        dialect: the dialect that a revision is told when it asks.

    Returns:
        The operations, and why they end early if they do: the function needs a database, or fails.
    """
    with quiet():
        context = MigrationContext.configure(dialect_name=dialect, opts={"as_sql": False})
    context.dialect.supports_comments = True
    recorder = _Recorder(context, function.__code__.co_filename if isinstance(function, FunctionType) else "")
    override(context, autocommit_block=recorder.autocommit_block)
    with _operations(context) as operations:
        override(
            operations,
            invoke=recorder.invoke,
            get_bind=partial(_no_database, revision),
            batch_alter_table=recorder.batch_alter_table,
        )
        try:
            function()
        except RecordingError as error:
            return recorder.calls, error
        except Exception as error:  # a revision is anybody's code: whatever it raises is a finding about it
            problem = RecordingError(revision, f"{type(error).__name__}: {error}")
            problem.__cause__ = error
            return recorder.calls, problem
    return recorder.calls, None


def _no_database(revision: str) -> Any:
    raise RecordingError(revision, "it asks for a database connection")


class _TableWhenUsed:
    """What ``op.create_table`` gives: the table, made when somebody uses it. Most revisions never do."""

    def __init__(self, operation: ops.CreateTableOp, context: MigrationContext) -> None:
        self._make = partial(operation.to_table, context)

    def __clause_element__(self) -> sa.Table:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


class _Recorder:
    """Stands in for the methods of ``alembic.op`` that would do something."""

    def __init__(self, context: MigrationContext, filename: str) -> None:
        self.context = context
        self._lines = _Lines(filename)
        self.calls: list[Call] = []
        self.autocommit = False

    def invoke(self, operation: MigrateOperation, *, batch: bool = False) -> Any:
        self.calls.append(Call(operation, self._lines.now(), batch, self.autocommit))
        return _TableWhenUsed(operation, self.context) if isinstance(operation, ops.CreateTableOp) else None

    @contextmanager
    def autocommit_block(self) -> Iterator[None]:
        self.autocommit = True
        try:
            yield
        finally:
            self.autocommit = False

    @contextmanager
    def batch_alter_table(
        self, table_name: str, schema: str | None = None, table_kwargs: Mapping[str, Any] | None = None, **_: Any
    ) -> Iterator[BatchOperations]:
        info = (table_kwargs or {}).get("info", {})
        if "sg" in info:
            self.invoke(MarkTableOp(table_name, None, Mark.parse(info["sg"])))
        with batches(self.context, table_name, schema, self.invoke) as operations:
            yield operations


@contextmanager
def _operations(context: MigrationContext) -> Iterator[Operations]:
    """``Operations.context``, which gives ``alembic.op`` back to the migration that may be running around it."""
    running = running_operations()
    try:
        with Operations.context(context) as operations:
            yield operations
    finally:
        if running is not None:
            give_back(running)


@contextmanager
def batches(
    context: MigrationContext, name: str, schema: str | None, invoke: Callable[..., Any]
) -> Iterator[BatchOperations]:
    """What ``op.batch_alter_table`` gives, with every operation of the batch handed to ``invoke`` at once."""
    impl: Any = SimpleNamespace(table_name=name, schema=schema)
    operations = BatchOperations(context, impl=impl)
    override(operations, invoke=partial(invoke, batch=True))
    yield operations


class _Lines:
    """Finds the line of a file that is being run.

    A frame works out its own ``f_lineno`` from the function's beginning each time it is asked; the first revision of a
    large site is one function of a hundred thousand lines, and asks for each of its operations.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._known: dict[int, tuple[list[int], list[int | None]]] = {}

    def now(self) -> int | None:
        """The line; ``None`` where nothing of the file is being run."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self._filename:
                starts, lines = self._table(frame.f_code)
                return lines[bisect_right(starts, frame.f_lasti) - 1]
            frame = frame.f_back
        return None

    def _table(self, code: CodeType) -> tuple[list[int], list[int | None]]:
        """Where in the code each line begins."""
        if id(code) not in self._known:
            found = list(code.co_lines())
            self._known[id(code)] = ([start for start, _, _ in found], [line for _, _, line in found])
        return self._known[id(code)]
