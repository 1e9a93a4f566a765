"""``sg-migrate demo``: the whole loop on SQLite with the sample schemas; no site, no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from sg_migrate.errors import DemoError, ProjectExistsError
from sg_migrate.packaged import packaged_folder

BEFORE, AFTER = "02-2024-07-layout.json", "03-2024-12-shots.json"

SHOTS = [
    {"id": 1001, "code": "nm_010_0010", "sg_turnover": "34", "sg_vfx_turnover_2": "2024-06-03"},
    {"id": 1002, "code": "nm_010_0020", "sg_turnover": "wk 34", "sg_vfx_turnover_2": None},
    {"id": 1003, "code": "nm_010_0030", "sg_turnover": "35", "sg_vfx_turnover_2": "client 🦋"},
]
COLUMNS = ("code", "sg_turnover", "sg_turnover__was_text", "sg_vfx_turnover_2")


@click.command(name="demo", epilog="Example: sg-migrate demo /tmp/sg-demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
def command(folder: Path) -> None:
    """Run the whole loop in FOLDER on SQLite: a site's schema, revisions, rows, a change on the site.

    It needs no ShotGrid site and no network, and leaves a project to play with.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ProjectExistsError(str(folder))
    samples = packaged_folder("sample_schemas")
    _step("A project that follows the site of an invented studio")
    _run(Path.cwd(), "sg_migrate", "init", str(folder), "--from", str(samples / BEFORE))
    _step("The first revision builds the warehouse")
    _run(folder, "alembic", "revision", "--autogenerate", "-m", "first")
    _run(folder, "alembic", "upgrade", "head")
    _step("Somebody fills it")
    _insert(folder / "warehouse.db")
    _show(folder / "warehouse.db")
    _step("Half a year later: producers have changed the site")
    _run(folder, "sg_migrate", "snapshot", "--from", str(samples / AFTER))
    _step("The second revision, as its reviewer sees it")
    _run(folder, "alembic", "revision", "--autogenerate", "-m", "weekly sync")
    _print_revision(folder)
    _run(folder, "alembic", "upgrade", "head")
    _step("Every row is still there; what did not convert stays in the column it was in")
    _show(folder / "warehouse.db")
    _check(folder / "warehouse.db")
    _run(folder, "alembic", "check")
    click.echo(f"\nNext: cd {folder}; alembic downgrade -1; alembic history; read migrations/versions/;")
    click.echo(f"sg-migrate snapshot --from {samples}/04-2025-05-crunch.json, and so on to 06.")


def _step(title: str) -> None:
    click.secho(f"\n== {title}", bold=True)


def _run(folder: Path, module: str, *arguments: str) -> None:
    """Run a command as a user would, in an environment without credentials or another database."""
    name = "sg-migrate" if module == "sg_migrate" else module
    click.secho(f"$ {name} {' '.join(arguments)}", fg="cyan")
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and key[:3] != "SG_"}
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    lines = (finished.stdout + finished.stderr).splitlines()
    click.echo("\n".join(line for line in lines if "alembic.runtime" not in line or "Running" in line))
    if finished.returncode:
        raise DemoError(f"{name} {' '.join(arguments)}")


def _print_revision(folder: Path) -> None:
    """The docstring of the newest revision: what a reviewer reads first."""
    newest = max((folder / "migrations" / "versions").glob("*.py"), key=lambda path: path.stat().st_mtime_ns)
    text = newest.read_text(encoding="utf-8")
    click.echo(text[: text.index('"""', 3) + 3])


def _insert(database: Path) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(sa.insert(sa.Table("shot", sa.MetaData(), autoload_with=connection)), SHOTS)
    engine.dispose()


def _rows(database: Path) -> list[Any]:
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        shot = sa.Table("shot", sa.MetaData(), autoload_with=connection)
        columns = [shot.c[name] for name in COLUMNS if name in shot.c]
        rows = list(connection.execute(sa.select(*columns).order_by(shot.c.id)).mappings())
    engine.dispose()
    return rows


def _show(database: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = _rows(database)
    table = Table(*rows[0].keys(), title="shot")
    for row in rows:
        table.add_row(*("NULL" if value is None else repr(value) for value in row.values()))
    Console().print(table)


def _check(database: Path) -> None:
    """Prove it: every value that was written is still in the row it was written to."""
    for written, row in zip(SHOTS, _rows(database), strict=True):
        if not set(written.values()) - {written["id"]} <= set(row.values()):
            raise DemoError(f"a value of {written['code']} is gone")
