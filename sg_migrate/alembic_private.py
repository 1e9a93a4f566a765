"""Everything private of Alembic and SQLAlchemy that sg_migrate uses: nowhere else, each with its reason.

tests/test_private.py names each attribute, so that a release which has taken one away says which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import alembic.op
from alembic.migration import MigrationContext
from alembic.operations import AbstractOperations, MigrateOperation, Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import PrimaryKeyConstraint
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy.types import TypeEngine


def variants_of(type_: TypeEngine[Any]) -> Mapping[str, TypeEngine[Any]]:
    """The types of ``with_variant``, by dialect: SQLAlchemy offers no other way to ask for them."""
    return type_._variant_mapping


def upgrade_steps(scripts: ScriptDirectory, target: str | Sequence[str], heads: Sequence[str]) -> list[Any]:
    """The steps of ``alembic upgrade``, in Alembic's own order, which only this function knows."""
    return list(scripts._upgrade_revs(target, heads))  # type: ignore[arg-type] # several heads are understood too


def downgrade_steps(scripts: ScriptDirectory, target: str, head: str) -> list[Any]:
    """The steps of ``alembic downgrade``, in Alembic's own order."""
    return list(scripts._downgrade_revs(target, head))


def stands_on(script: Script) -> tuple[str, ...]:
    """The revisions that must have run before: those it revises and those it depends on."""
    return tuple(script._all_down_revisions)


def revises(script: Script) -> tuple[str, ...]:
    """The revisions that it revises."""
    return tuple(script._versioned_down_revisions)


def version_locations(scripts: ScriptDirectory) -> list[str]:
    """The folders of the revisions, made absolute."""
    return [str(location) for location in scripts._version_locations]


def running_operations() -> Any:
    """The operations that ``alembic.op`` stands for at this moment; ``None`` outside of a migration."""
    return getattr(alembic.op, "_proxy", None)


def give_back(operations: Any) -> None:
    """Let ``alembic.op`` stand for these operations again."""
    operations._install_proxy()


def override(target: AbstractOperations | MigrationContext, **methods: Callable[..., Any]) -> None:
    """Give one object its own methods: the module-level proxies of ``alembic.op`` would not ask a subclass."""
    vars(target).update(methods)


def invoke_implementation(operations: Operations, operation: MigrateOperation) -> Any:
    """Run the implementation of an operation, without ``Operations.invoke`` around it."""
    return Operations._to_impl.dispatch(operation)(operations, operation)


def within_batch(context: Any) -> Any:
    """A block in which Alembic renders operations as those of a ``batch_op``."""
    return context._within_batch()


def environment_function(context: Any) -> Callable[..., Any] | None:
    """The function that gives the steps to run: of ``alembic.context``, or of an ``EnvironmentContext``."""
    environment = getattr(context, "_proxy", None) or context
    found: Callable[..., Any] | None = environment.context_opts.get("fn")
    return found


def pending_columns(constraint: PrimaryKeyConstraint) -> tuple[str, ...]:
    """The columns of a constraint that belongs to no table yet; making a table of it takes its time."""
    return tuple(str(getattr(column, "name", column)) for column in constraint._pending_colargs)


def writes_revision(function: Callable[..., Any] | None) -> bool:
    """Whether the command is ``alembic revision``: ``alembic check`` runs the same hooks with equal arguments.

    Only the name of the command's own function tells the two apart.
    """
    return getattr(function, "__qualname__", "").startswith("revision.")


def upgrades(function: Callable[..., Any] | None) -> bool:
    """Whether the command is ``alembic upgrade``, by the name of its own function as well."""
    return getattr(function, "__qualname__", "").startswith("upgrade.")


def forget_quoting(preparer: IdentifierPreparer) -> None:
    """Let it decide anew which names to quote: it remembers those it has seen, whatever is reserved since."""
    preparer._strings.clear()
