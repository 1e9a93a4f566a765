"""The SQL of a revision for one dialect, as ``alembic upgrade --sql`` would write it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script

from sg_migrate.alembic_log import quiet


@dataclass(frozen=True, slots=True)
class Statements:
    """The text of the statements, and why it ends early if it does."""

    sql: str
    problem: str = ""


def statements(script: Script, dialect: str) -> Statements:
    """The statements of ``upgrade()``; nothing is executed.

    What needs a database (on SQLite, rebuilding a table; a revision that asks for a connection) ends the text, and
    ``problem`` says so.
    """
    buffer = io.StringIO()
    options = {"as_sql": True, "literal_binds": True, "output_buffer": buffer}
    with quiet():
        context = MigrationContext.configure(dialect_name=dialect, dialect_opts={"paramstyle": "named"}, opts=options)
    problem = ""
    with Operations.context(context):
        try:
            script.module.upgrade()
        except Exception as error:  # a revision is anybody's code: whatever it raises is said in the report
            lines = str(error).strip().splitlines()
            problem = lines[0] if lines else type(error).__name__
    return Statements(buffer.getvalue().strip(), problem)
