"""The documentation says what is true: commands, settings, data types, dependencies, links, the README's snippets."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest
from golden import assert_golden

from sg_migrate.cli import COMMANDS, cli
from sg_migrate.settings import Settings
from sg_migrate.warehouse.mapping import MAPPING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def rows(page: Path) -> list[list[str]]:
    """The cells of every table row of a page, without code marks."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")] for line in lines]


def command_reference() -> str:
    """docs/commands.md as the commands' own help says it."""
    context = click.Context(cli, info_name="sg-migrate", **cli.context_settings)
    pages = ["# Commands\n", "Written from the commands' own help.\n"]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        sub = click.Context(command, info_name=name, parent=context, terminal_width=100, max_content_width=100)
        pages.append(f"## sg-migrate {name}\n\n{COMMANDS[name]}\n\n```text\n{command.get_help(sub)}\n```\n")
        for below, inner in (command.commands if isinstance(command, click.Group) else {}).items():
            at = click.Context(inner, info_name=below, parent=sub, terminal_width=100, max_content_width=100)
            pages.append(f"### sg-migrate {name} {below}\n\n```text\n{inner.get_help(at)}\n```\n")
    return "\n".join(pages)


def test_the_command_reference_is_the_commands_help() -> None:
    assert_golden(DOCS / "commands.md", command_reference())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.epilog or "").startswith(f"Example: sg-migrate {name}")
    assert command.help


def test_the_settings_page_lists_every_setting_with_its_default() -> None:
    written = {cells[0]: cells[1] for cells in rows(DOCS / "settings.md")[1:]}
    defaults = Settings()
    expected = {}
    for setting in fields(Settings):
        value = getattr(defaults, setting.name)
        expected[setting.name] = str(value).lower() if isinstance(value, bool) else str(value) if value else "empty"
    expected["snapshot"] = defaults.snapshot
    assert {name: written.get(name) for name in expected} == expected
    assert set(written) == set(expected)


def test_the_mapping_page_names_every_data_type() -> None:
    written = {data_type.strip() for cells in rows(DOCS / "mapping.md")[1:] for data_type in cells[0].split(",")}
    assert written == {*MAPPING, "calculated"}


def test_the_dependencies_page_names_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[>=<;\[ ]", requirement)[0] for requirement in project["dependencies"]}
    assert {cells[0] for cells in rows(DOCS / "dependencies.md")[1:]} == names


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_the_readmes_python_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    snippets = re.findall(r"```python\n(from .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "text\n"


def test_no_text_of_the_product_points_to_a_file_that_the_wheel_lacks() -> None:
    """Help pages, messages and the template; comments and docstrings of modules are for who has the repository."""
    texts = [command_reference()]
    for path in (ROOT / "sg_migrate").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        docstrings = {node.body[0].value for node in ast.walk(tree)
                      if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)}  # fmt: skip
        attributes = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts += [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
                  and isinstance(node.value, str) and node not in docstrings | attributes]  # fmt: skip
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "alembic_template").iterdir()]
    assert [text for text in texts if re.search(r"\bdocs/", text)] == []


def test_the_readmes_commands_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"^\$ sg-migrate (\w+)", text, re.MULTILINE):
        assert name in COMMANDS
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\$ make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
