"""What is private in Alembic and SQLAlchemy is used in one file, and each of it is still there."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import alembic.autogenerate.api
import alembic.command
import alembic.context
import alembic.op
import alembic.operations
import alembic.runtime.environment
import alembic.script
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from shotgun_api3.shotgun import Shotgun
from sqlalchemy.sql.compiler import IdentifierPreparer

from sg_migrate.site.client import RecordClient

PACKAGE = Path(__file__).parent.parent / "sg_migrate"
ONE_FILE = PACKAGE / "alembic_private.py"
OF_THE_CLIENT = PACKAGE / "site" / "client.py"

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
    environment = alembic.runtime.environment.EnvironmentContext
    assert "context_opts" in environment.__init__.__code__.co_names
    assert any("retrieve_migrations" in str(constant) for constant in alembic.command.revision.__code__.co_consts)


def test_proxies_are_still_called_so() -> None:
    """`running_operations` and `environment_function` ask for ``_proxy`` by its name."""
    context = MigrationContext.configure(dialect_name="sqlite")
    with alembic.operations.Operations.context(context) as operations:
        assert vars(alembic.op).get("_proxy") is operations, "alembic.op no longer has _proxy"
    environment = alembic.runtime.environment.EnvironmentContext(Config(), alembic.script.ScriptDirectory("."))
    with environment:
        assert vars(alembic.context).get("_proxy") is environment, "alembic.context no longer has _proxy"


def test_classes_of_ours_use_nothing_private_that_they_inherit() -> None:
    found = [
        f"{name}.{kind.__name__}: {attribute}"
        for name, module in modules().items()
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == name
        for base in kind.__mro__
        if base.__module__.split(".")[0] in ("alembic", "sqlalchemy")
        for attribute in (names_defined(kind) | names_on_self(kind))
        if attribute.startswith("_") and not attribute.startswith("__") and hasattr(base, attribute)
    ]
    assert found == []


def modules() -> dict[str, ModuleType]:
    """Every module of the package, but for the one that runs it."""
    names = [module.name for module in pkgutil.walk_packages([str(PACKAGE)], "sg_migrate.")]
    return {name: importlib.import_module(name) for name in names if not name.endswith("__main__")}


def names_defined(kind: type) -> set[str]:
    """What the body of a class gives a name to; SQLAlchemy adds more to it when the class is made."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    functions = {node.name for node in body.body if isinstance(node, ast.FunctionDef)}
    targets = [target for node in body.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body.body if isinstance(node, ast.AnnAssign)]
    return functions | {target.id for target in targets if isinstance(target, ast.Name)}


def names_on_self(kind: type) -> set[str]:
    """What a class takes from ``self``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in found if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")}


def test_what_is_private_in_the_client() -> None:
    """What our client replaces of shotgun_api3's is still there, and is still asked."""
    own = {name for name in vars(RecordClient) if name.startswith("_") and not name.startswith("__")}
    assert own == {"_json_loads", "_parse_records", "_transform_inbound"}
    source = inspect.getsource(Shotgun)
    for name in (*own, "_server_caps"):
        assert f"self.{name}" in source


def test_all_of_it_is_in_one_file() -> None:
    used = {name for _, name in private_uses(ONE_FILE)}
    assert used == set(PRIVATE)
    elsewhere = {
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in PACKAGE.rglob("*.py")
        if path not in (ONE_FILE, OF_THE_CLIENT)
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
    import alembic.ddl.sqlite

    assert modules()
    assert implementation(alembic)["sqlite"] is alembic.ddl.sqlite.SQLiteImpl
