"""Running a revision without a database: its operations, as Alembic's own values.

The review judges these operations and the fold (`sg_migrate.revisions.built`) adds them up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from alembic.operations import BatchOperations, MigrateOperation, Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine.default import DefaultDialect

from sg_migrate.errors import RecordingError


def record(function: Callable[[], None], revision: str) -> list[MigrateOperation]:
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
    recorded: list[MigrateOperation] = []

    def invoke(operation: MigrateOperation) -> Any:
        recorded.append(operation)
        return operation.to_table(context) if isinstance(operation, ops.CreateTableOp) else None

    def get_bind() -> Any:
        raise RecordingError(revision, "it asks for a database connection")

    with Operations.context(context) as operations:
        # Alembic's module-level proxies call methods of this one instance: a subclass would not be asked.
        overrides: dict[str, Any] = {
            "invoke": invoke,
            "get_bind": get_bind,
            "batch_alter_table": lambda name, schema=None, **_: _batch(context, name, schema, invoke),
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
def _batch(
    context: MigrationContext, name: str, schema: str | None, invoke: Callable[[MigrateOperation], Any]
) -> Iterator[BatchOperations]:
    impl: Any = SimpleNamespace(table_name=name, schema=schema)
    operations = BatchOperations(context, impl=impl)
    vars(operations)["invoke"] = invoke
    yield operations
