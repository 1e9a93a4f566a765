"""Whether a revision's code is still what sg_migrate writes for its change."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from alembic.autogenerate import render_python_code
from alembic.operations import ops

from sg_migrate.review.revision import Subject, table_of
from sg_migrate.revisions.plan import plan
from sg_migrate.revisions.recorder import quiet
from sg_migrate.revisions.render import render_item
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State, TableState


def is_as_generated(subject: Subject) -> bool:
    """Whether ``upgrade()`` and ``downgrade()`` hold the statements that would be generated today.

    Formatting and comments do not count. Operations on tables that are not the site's may stand beside them: an
    application's own tables are in the same revision where the two share a history.
    """
    if subject.before_problem or subject.upgrade.problem:
        return True
    upgrade = ops.UpgradeOps(plan(subject.before, _expected(subject)))
    downgrade = upgrade.reverse()
    tree = ast.parse(Path(subject.script.path).read_text(encoding="utf-8"))
    beside = _has_other_tables(subject)
    return all(
        _holds(_statements(tree, name), _generated(operations), beside)
        for name, operations in (("upgrade", upgrade), ("downgrade", downgrade))
    )


def _expected(subject: Subject) -> State:
    """What the revision should lead to: the model, if it says that it leads to the present snapshot."""
    snapshot = subject.project.stored_snapshot()
    digest = getattr(subject.script.module, "sg_digest", None)
    if snapshot is not None and digest == subject.project.digest(snapshot):
        return build_state(snapshot.schema, subject.project.settings, subject.before)
    return {name: _in_order(table) for name, table in sorted(subject.after.items())}


def _in_order(table: TableState) -> TableState:
    """The table with its columns in the model's order; a fold has them in the order in which they came."""
    if table.mark.field:
        return table
    return replace(table, columns=dict(sorted(table.columns.items(), key=lambda item: (item[0] != "id", item[0]))))


def _has_other_tables(subject: Subject) -> bool:
    ours = {*subject.before, *subject.after}
    return any(table_of(step.operation) and table_of(step.operation) not in ours for step in subject.steps)


def _generated(operations: ops.UpgradeOps | ops.DowngradeOps) -> list[str]:
    with quiet():
        code = render_python_code(operations, render_item=cast(Any, render_item))
    return _statements(ast.parse(f"def generated():\n    {code}"), "generated")


def _statements(tree: ast.Module, name: str) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            return _dumped(body)
    return []


def _dumped(body: list[ast.stmt]) -> list[str]:
    return [ast.dump(statement) for statement in body if not isinstance(statement, ast.Pass)]


def _holds(written: list[str], generated: list[str], beside: bool) -> bool:
    if beside:
        return not Counter(generated) - Counter(written)
    return written == generated
