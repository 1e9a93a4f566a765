"""The tests themselves: no test module needs another."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent


def test_no_test_module_imports_another() -> None:
    modules = {path.stem for path in HERE.rglob("test_*.py")} | {"conftest"}
    found = [
        f"{path.relative_to(HERE)}: {name}"
        for path in HERE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported(node)
        if name.split(".")[0] in modules
    ]
    assert found == []


def test_no_two_modules_have_one_name() -> None:
    names = [path.stem for path in HERE.rglob("*.py") if path.stem != "__init__"]
    assert sorted(names) == sorted(set(names))


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
