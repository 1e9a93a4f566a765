"""What must happen before, between and after the revisions of an upgrade or downgrade, on one database.

It hangs on the function that gives Alembic its steps, so it happens whoever calls Alembic: the ``alembic`` command,
``command.upgrade``, an application's own ``EnvironmentContext``, Flask-Migrate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops
from alembic.runtime.migration import MigrationContext, RevisionStep

from sg_migrate.conversion import execution
from sg_migrate.conversion.carry_over import CarryOver, ColumnCarryOver
from sg_migrate.conversion.operations import RestoreColumnOp, RestoreLinksOp
from sg_migrate.conversion.unfinished import finish_before_drop
from sg_migrate.database import load_record
from sg_migrate.database.connection import lock_for_writing
from sg_migrate.database.origins import Origins
from sg_migrate.database.views import check_views
from sg_migrate.errors import BusyError, DiscardError
from sg_migrate.revisions.replay import History, Step
from sg_migrate.warehouse.state import State


def guarded(
    context: MigrationContext,
    heads: Sequence[str],
    steps: Sequence[RevisionStep],
    history: History,
    finish: Callable[[sa.Connection, State], None],
) -> Iterator[RevisionStep]:
    """The steps, to be run one by one; everything that can be refused is refused before the first.

    Args:
        context: with a connection.
        heads: where the database is.
        steps: as Alembic gives them; at least one.
        history: the revisions as this database's dialect runs them.
        finish: called with what is built once the last step has run.

    Raises:
        RecordingError, FoldError, ContradictionError: a revision cannot be read or does not fit.
        ViewsError: views use what would change.
        DiscardError: a downgrade would lose values.
        BusyError: another migration has run meanwhile.
    """
    connection = context.connection
    assert connection is not None
    with own_transaction(connection):
        _lock(context, heads)
        replayed = list(history.replay(steps, history.built(heads)))
        for one in replayed:
            if one.error is not None:
                raise one.error
        check_views(connection, [call.operation for one in replayed for call in one.calls])
        _check_losses(context, replayed)
    for step, one in zip(steps, replayed, strict=True):
        with own_transaction(connection):
            load_record.forget(connection, one.before, one.after)
            if one.is_upgrade:
                finish_before_drop(connection, one.before, one.after)
            elif execution.may_discard(context):
                _discard(connection, one)
        yield step
    with own_transaction(connection):
        finish(connection, replayed[-1].after)


@contextmanager
def own_transaction(connection: sa.Connection) -> Iterator[None]:
    """Commit what is done inside, if nobody had begun a transaction before."""
    others_commit = connection.in_transaction()
    yield
    if not others_commit:
        connection.commit()


def _lock(context: MigrationContext, heads: Sequence[str]) -> None:
    """On SQLite, take the right to write now. A database without revisions is being written to already."""
    if not heads or context.dialect.name != "sqlite":
        return
    assert context.connection is not None
    lock_for_writing(context.connection)
    if set(context.get_current_heads()) != set(heads):
        raise BusyError


# --- what a downgrade would lose


def _check_losses(context: MigrationContext, steps: Iterable[Step]) -> None:
    """Refuse a downgrade that loses values, by the names that hold before it: not every engine can take DDL back."""
    if execution.may_discard(context):
        return
    connection = context.connection
    assert connection is not None
    origins = Origins()
    for step in steps:
        for call in step.calls:
            operation = call.operation
            if isinstance(operation, RestoreColumnOp | RestoreLinksOp):
                present = _present(operation.carry_over(), origins)
                if present is not None:
                    execution.refuse_to_discard(context, present)
            elif not step.is_upgrade:
                for table, column, length in _shortened(operation, origins):
                    longer = execution.longer_texts(connection, table, column, length)
                    if longer:
                        raise DiscardError(table, column, longer)
            origins.follow(operation)


def _present(carry_over: CarryOver, origins: Origins) -> CarryOver | None:
    """A carry-over by the names that hold now; ``None`` where something of it is not there yet."""
    table = origins.table(carry_over.table)

    def column(name: str) -> str:
        return origins.column(table, name)

    if isinstance(carry_over, ColumnCarryOver):
        former = replace(carry_over.former, name=column(carry_over.former.name))
        new = replace(carry_over.new, name=column(carry_over.new.name))
        return ColumnCarryOver(table, former, new) if table and former.name and new.name else None
    found = replace(
        carry_over,
        table=table,
        id_column=column(carry_over.id_column),
        type_column=column(carry_over.type_column),
        link_table=origins.table(carry_over.link_table),
    )
    return found if all((table, found.id_column, found.type_column, found.link_table)) else None


def _shortened(operation: MigrateOperation, origins: Origins) -> Iterator[tuple[str, str, int]]:
    """The column that gets a bound for its texts, as ``(table, column, characters)``."""
    length = getattr(operation.modify_type, "length", None) if isinstance(operation, ops.AlterColumnOp) else None
    if isinstance(operation, ops.AlterColumnOp) and length is not None:
        table = origins.table(operation.table_name)
        column = origins.column(table, operation.column_name)
        if table and column:
            yield table, column, int(length)


def _discard(connection: sa.Connection, step: Step) -> None:
    """Let go of the texts that a downgrade has no room for: engines refuse to shorten them, or keep them."""
    origins = Origins()
    for call in step.calls:
        for table, column, length in _shortened(call.operation, origins):
            execution.discard_longer_texts(connection, table, column, length)
        origins.follow(call.operation)


def steps_of(found: Iterable[Any]) -> list[RevisionStep]:
    """Those of Alembic's steps that run a revision; not those of ``alembic stamp``."""
    return [step for step in found if isinstance(step, RevisionStep)]
