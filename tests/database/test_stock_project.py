"""An Alembic project that does not use sg_migrate, in one process with one that does: nothing is different for it."""

from __future__ import annotations

from pathlib import Path

from sites import site
from studio import Studio

PROGRAM = '''
import importlib, io, pkgutil, sys
import alembic.op, alembic.context, alembic.command, sqlalchemy as sa
from alembic.autogenerate.render import renderers
from alembic.config import Config
from alembic.ddl.impl import _impls
from alembic.ddl.sqlite import SQLiteImpl
from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from alembic.operations.ops import AddColumnOp, AlterColumnOp
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles

KINDS = (Operations, BatchOperations, MigrationContext, SQLiteImpl)
DIALECTS = (sqlite, postgresql, mysql)


OURS = {"convert_column", "restore_column", "carry_links", "restore_links"}


def seen():
    """What Alembic and SQLAlchemy have for everybody, but for the operations that sg_migrate adds to Alembic's own."""
    names = {kind: {name: value for name, value in vars(kind).items() if name not in OURS} for kind in KINDS}
    words = [set(dialect.dialect.preparer.reserved_words) for dialect in DIALECTS]
    how = [Operations._to_impl.dispatch(op) for op in (AddColumnOp, AlterColumnOp)]
    return dict(_impls), names, vars(alembic.op).keys() - OURS, words, how, renderers.dispatch(AddColumnOp)


def stock():
    """A stock project alters a table in a batch; returns the statements that were run."""
    engine, statements = sa.create_engine("sqlite://"), []
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE stock (id INTEGER PRIMARY KEY, code VARCHAR(20), returning_ TEXT)")
        sa.event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        context = MigrationContext.configure(connection)
        assert type(context.impl) is SQLiteImpl, type(context.impl)
        assert not context.impl.transactional_ddl
        with Operations.context(context) as op, op.batch_alter_table("stock") as batch_op:
            batch_op.alter_column("code", type_=sa.Text(), existing_type=sa.String(20))
    return statements


statements, before = stock(), seen()
assert any("_alembic_tmp_stock" in statement for statement in statements)
import sg_migrate
for module in pkgutil.walk_packages(sg_migrate.__path__, "sg_migrate."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
assert seen() == before
assert stock() == statements

alembic.command.upgrade(Config("alembic.ini", output_buffer=io.StringIO()), "head")
assert seen() == before
assert stock() == statements
print("altered in place:", "sqlite_master" in open("statements.txt").read(), "as before")
'''

ENV = """
import sqlalchemy

def note(*arguments):
    with open("statements.txt", "a") as file:
        print(arguments[2], file=file)

sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
"""


def test_importing_and_running_changes_nothing_for_others(sqlite_url: str, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.take(site(Shot={"code": "list"}))
    studio.revise()
    studio.upgrade()
    studio.take(site(Shot={"code": "text"}))
    studio.revise()
    env = studio.folder / "migrations" / "env.py"
    env.write_text(ENV + env.read_text("utf-8"), "utf-8")
    assert "altered in place: True as before" in studio.run("python", "-c", PROGRAM).stdout
