"""Running a revision without a database: its operations, as Alembic's own values.

The review judges these operations and the fold (`sg_migrate.revisions.built`) adds them up.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

import alembic.op
from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine.default import DefaultDialect

from sg_migrate.errors import RecordingError


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


def record(function: Callable[[], None], revision: str) -> list[MigrateOperation]:
    """The operations that ``function`` invokes; see `record_calls`."""
    return [call.operation for call in record_calls(function, revision)]


def record_calls(function: Callable[[], None], revision: str) -> list[Call]:
    """The operations that ``function``, a revision's ``upgrade`` or ``downgrade``, invokes, in their order.

    Nothing is executed. The recorder answers that it supports comments, so that blocks guarded by it are recorded.

    Args:
        function: the revision's function.
        revision: its id, for messages.

    Raises:
        RecordingError: the function needs a database, or fails.
    """
    dialect = DefaultDialect()
    dialect.supports_comments = True
    with quiet():
        context = MigrationContext.configure(dialect=dialect, opts={"as_sql": False})
    recorded: list[Call] = []
    filename = function.__code__.co_filename if isinstance(function, FunctionType) else ""
    autocommit = False

    def invoke(operation: MigrateOperation, *, batch: bool = False) -> Any:
        recorded.append(Call(operation, _line(filename), batch, autocommit))
        return operation.to_table(context) if isinstance(operation, ops.CreateTableOp) else None

    def get_bind() -> Any:
        raise RecordingError(revision, "it asks for a database connection")

    @contextmanager
    def autocommit_block() -> Iterator[None]:
        nonlocal autocommit
        autocommit = True
        try:
            yield
        finally:
            autocommit = False

    vars(context)["autocommit_block"] = autocommit_block
    with _operations(context) as operations:
        # Alembic's module-level proxies call methods of this one instance: a subclass would not be asked.
        overrides: dict[str, Any] = {
            "invoke": invoke,
            "get_bind": get_bind,
            "batch_alter_table": lambda name, schema=None, **_: batches(context, name, schema, invoke),
        }
        vars(operations).update(overrides)
        try:
            function()
        except RecordingError:
            raise
        except Exception as error:  # a revision is anybody's code: whatever it raises is a finding about it
            raise RecordingError(revision, f"{type(error).__name__}: {error}") from error
    return recorded


@contextmanager
def _operations(context: MigrationContext) -> Iterator[Operations]:
    """``Operations.context``, which gives ``alembic.op`` back to the migration that may be running around it."""
    running = getattr(alembic.op, "_proxy", None)
    try:
        with Operations.context(context) as operations:
            yield operations
    finally:
        if running is not None:
            running._install_proxy()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Alembic's informative log lines away: they are about contexts that the user never asked for."""
    log = logging.getLogger("alembic")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


@contextmanager
def batches(
    context: MigrationContext, name: str, schema: str | None, invoke: Callable[..., Any]
) -> Iterator[BatchOperations]:
    """What ``op.batch_alter_table`` gives, with every operation of the batch handed to ``invoke`` at once."""
    impl: Any = SimpleNamespace(table_name=name, schema=schema)
    operations = BatchOperations(context, impl=impl)
    vars(operations)["invoke"] = partial(invoke, batch=True)
    yield operations


def _line(filename: str) -> int | None:
    """The line of ``filename`` that is being run."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == filename:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None
