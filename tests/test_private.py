"""What is private in Alembic and SQLAlchemy is used in one file, and each of it is still there."""

from __future__ import annotations

import ast
from operator import attrgetter
from pathlib import Path

import alembic.autogenerate.api
import alembic.command
import alembic.op
import alembic.operations
import alembic.runtime.environment
import alembic.script
import pytest
import sqlalchemy as sa
from sqlalchemy.sql.compiler import IdentifierPreparer

PACKAGE = Path(__file__).parent.parent / "sg_migrate"
ONE_FILE = PACKAGE / "alembic_private.py"

PRIVATE = {
    "_variant_mapping": sa.types.TypeEngine,
    "_pending_colargs": sa.PrimaryKeyConstraint("id"),
    "_strings": IdentifierPreparer(sa.create_engine("sqlite://").dialect),
    "_upgrade_revs": alembic.script.ScriptDirectory,
    "_downgrade_revs": alembic.script.ScriptDirectory,
    "_version_locations": alembic.script.ScriptDirectory,
    "_all_down_revisions": alembic.script.Script,
    "_versioned_down_revisions": alembic.script.Script,
    "_install_proxy": alembic.operations.Operations,
    "_to_impl": alembic.operations.Operations,
    "_within_batch": alembic.autogenerate.api.AutogenContext,
}
"""What is used, by name, and who has it."""


@pytest.mark.parametrize("name", PRIVATE)
def test_it_is_still_there(name: str) -> None:
    owner = PRIVATE[name]
    assert hasattr(owner, name), f"{owner} no longer has {name}: see sg_migrate/alembic_private.py"


def test_the_proxies_and_the_commands_function() -> None:
    """What is asked of a context's environment, and how ``alembic revision`` is told from ``alembic check``."""
    with pytest.raises(NameError):
        alembic.op.get_context()
    environment = alembic.runtime.environment.EnvironmentContext
    assert "context_opts" in environment.__init__.__code__.co_names
    assert any("retrieve_migrations" in str(constant) for constant in alembic.command.revision.__code__.co_consts)


def test_all_of_it_is_in_one_file() -> None:
    used = {name for _, name in private_uses(ONE_FILE)}
    assert used == set(PRIVATE)
    elsewhere = {
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in PACKAGE.rglob("*.py")
        if path != ONE_FILE
        for line, name in private_uses(path)
    }
    assert elsewhere == set()


def private_uses(path: Path) -> list[tuple[int, str]]:
    """``(line, name)`` of each private attribute that is taken from what the file itself does not define."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = {"self", "cls"} | {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return [
        (node.lineno, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
        and node.attr != "_getframe"
        and not (isinstance(node.value, ast.Name) and node.value.id in own)
    ]  # fmt: skip


def test_importing_everything_changes_nothing_for_others() -> None:
    implementation = attrgetter("ddl.impl._impls")
    import importlib
    import pkgutil

    import alembic.ddl.sqlite

    import sg_migrate

    for module in pkgutil.walk_packages(sg_migrate.__path__, "sg_migrate."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert implementation(alembic)["sqlite"] is alembic.ddl.sqlite.SQLiteImpl
