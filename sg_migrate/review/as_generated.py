"""Whether a revision's code is still what sg_migrate writes for its change."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

from alembic.autogenerate import render_python_code
from alembic.operations import ops

from sg_migrate.alembic_log import quiet
from sg_migrate.review.revision import RevisionUnderReview, table_of
from sg_migrate.revisions.operations import RepairOps
from sg_migrate.revisions.plan import plan
from sg_migrate.revisions.render import render_item
from sg_migrate.revisions.repair import REPAIRS, possible_repairs
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State, TableState
from sg_migrate.warehouse.transition import transition


def is_as_generated(revision: RevisionUnderReview) -> bool:
    """Whether ``upgrade()`` and ``downgrade()`` hold the statements that would be generated today.

    Formatting and comments do not count. Operations on tables that are not the site's may stand beside them: an
    application's own tables are in the same revision where the two share a history.
    """
    if revision.before_problem or revision.upgrade.problem:
        return True
    upgrade = ops.UpgradeOps(plan(transition(revision.before, _expected(revision))))
    wanted = {"upgrade": _code(upgrade), "downgrade": _code(upgrade.reverse())}
    source = Path(revision.script.path).read_text(encoding="utf-8")
    if all(_is_text(source, name, code) for name, code in wanted.items()):
        return True  # as it was written: a syntax tree of a large site's first revision takes gigabytes
    tree = ast.parse(source)
    beside = _has_other_tables(revision)
    repairs = _possible_repairs(revision, source) if REPAIRS in source else set()
    return all(
        _holds([one for one in _statements(tree, name) if one not in repairs], _generated(code), beside)
        for name, code in wanted.items()
    )


def _is_text(source: str, name: str, code: str) -> bool:
    """Whether a function is line by line what is generated."""
    body, lines = _body(source, name), _lines(f"    {code}")
    return body == lines or body == [f'    """{name.capitalize()} schema."""', *lines]  # as the template has it


def _body(source: str, name: str) -> list[str]:
    """The lines of a function of a file that follow its first line."""
    _, _, rest = source.partition(f"\ndef {name}() -> None:\n")
    return _lines("\n".join(takewhile(lambda line: not line or line.startswith(" "), rest.splitlines())))


def _lines(code: str) -> list[str]:
    """The lines of generated code, in which no text goes over a line; comments left out."""
    lines = (line.rstrip() for line in code.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def _possible_repairs(revision: RevisionUnderReview, source: str) -> set[str]:
    """Every statement with which a repair of the tables that the file names could bring back what was built."""
    named = {name: table for name, table in revision.before.items() if repr(name) in source}
    found: set[str] = set()
    for operations in filter(None, possible_repairs(named)):
        found.update(_generated(_code(ops.UpgradeOps([RepairOps("", operations)]))))
    return found


def _expected(revision: RevisionUnderReview) -> State:
    """What the revision should lead to: the model, if it says that it leads to the present snapshot."""
    if hasattr(revision.script.module, "sg_replaces"):  # a squashed one has the columns in the order in which they came
        return dict(sorted(revision.after.items()))
    snapshot = revision.project.stored_snapshot()
    digest = getattr(revision.script.module, "sg_digest", None)
    if snapshot is not None and digest == revision.project.digest(snapshot):
        return build_state(snapshot.schema, revision.project.settings, revision.before)
    return {name: _in_order(table) for name, table in sorted(revision.after.items())}


def _in_order(table: TableState) -> TableState:
    """The table with its columns in the model's order; a fold has them in the order in which they came."""
    if table.mark.field:
        return table
    return replace(table, columns=dict(sorted(table.columns.items(), key=lambda item: (item[0] != "id", item[0]))))


def _has_other_tables(revision: RevisionUnderReview) -> bool:
    ours = {*revision.before, *revision.after}
    return any(table_of(step.operation) and table_of(step.operation) not in ours for step in revision.steps)


def _code(operations: ops.UpgradeOps | ops.DowngradeOps) -> str:
    with quiet():
        return render_python_code(operations, render_item=cast(Any, render_item))


def _generated(code: str) -> list[str]:
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
