"""The house: data flows one way, so every room imports from those below it alone, and nothing imports in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sg_migrate"

FLOORS = (
    ("alembic_log", "alembic_private", "errors", "exit_codes", "packaged", "text"),
    ("site",),
    ("settings",),
    ("warehouse",),
    ("conversion",),
    ("database",),
    ("revisions",),
    ("load", "review"),
    ("comparison", "dictionary", "models"),
    ("reports",),
    ("demo",),
    ("commands",),
    ("cli", "__init__"),
    ("__main__",),
)
"""From the ground up."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sg_migrate":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if file_of(name) else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "sg_migrate"}
    return found


def file_of(module: str) -> Path | None:
    base = PACKAGE.parent.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def room_of(path: Path) -> str:
    top = path.relative_to(PACKAGE).parts[0]
    return top.removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_has_its_floor() -> None:
    assert {room_of(path) for path in FILES} == set(FLOOR)


def test_no_room_imports_from_above() -> None:
    up = [
        f"{path.relative_to(PACKAGE)} imports {module}"
        for path in FILES
        for module in imported(path)
        if (target := file_of(module)) and room_of(target) != room_of(path)
        and FLOOR[room_of(target)] >= FLOOR[room_of(path)]
    ]  # fmt: skip
    assert up == []


def test_no_file_imports_itself_by_a_circle() -> None:
    uses = {path: {found for name in imported(path) if (found := file_of(name)) and found != path} for path in FILES}
    done: set[Path] = set()
    while done != set(uses):
        free = {path for path, others in uses.items() if path not in done and others <= done}
        assert free, f"in circles: {sorted(str(path.relative_to(PACKAGE)) for path in set(uses) - done)}"
        done |= free


MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES if path.stem != "__main__"
]
QUICK = ("sg_migrate.revisions.plugin",)
"""Of which Alembic itself is the first importer, or not."""


@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in MODULES]
)
def test_any_module_may_be_imported_first(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
