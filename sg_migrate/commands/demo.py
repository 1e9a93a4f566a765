"""``sg-migrate demo``: the whole loop on SQLite with the sample schemas; no site, no network."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from sg_migrate.errors import DemoError, ProjectExistsError
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK
from sg_migrate.packaged import packaged_folder

BEFORE, AFTER = "02-2024-07-layout.json", "03-2024-12-shots.json"

SHOTS = [
    {"id": 1001, "code": "nm_010_0010", "sg_turnover": "34", "sg_vfx_turnover_2": "2024-06-03"},
    {"id": 1002, "code": "nm_010_0020", "sg_turnover": "wk 34", "sg_vfx_turnover_2": None},
    {"id": 1003, "code": "nm_010_0030", "sg_turnover": "35", "sg_vfx_turnover_2": "client 🦋"},
]
SHOWN_LINES = 16
"""Of the review: a story is short."""
NEXT = (
    ("sg-migrate", "review", "-c", "{ini}", "head", "--details"),
    ("alembic", "-c", "{ini}", "downgrade", "-1"),
    ("alembic", "-c", "{ini}", "upgrade", "head"),
    ("sg-migrate", "revision", "-c", "{ini}", "--from", "{samples}/04-2025-05-crunch.json"),
)
"""What to try in the project that the demo leaves."""
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
    ini = str(folder / "alembic.ini")
    _step("A project that follows the site of an invented studio, and the revision that builds its warehouse")
    _run("sg-migrate", "init", str(folder), "--from", str(samples / BEFORE))
    _run("sg-migrate", "revision", "-c", ini, "-m", "first")
    _run("alembic", "-c", ini, "upgrade", "head")
    _step("Somebody fills it")
    _insert(folder / "warehouse.db")
    _show(folder / "warehouse.db")
    _step("Half a year later producers have changed the site: Monday's revision, with its review")
    _run("sg-migrate", "revision", "-c", ini, "-m", "weekly sync", "--from", str(samples / AFTER), shown=SHOWN_LINES)
    _run("alembic", "-c", ini, "upgrade", "head")
    _step("Every row is still there; what did not convert stays in the column it was in")
    _show(folder / "warehouse.db")
    _check(folder / "warehouse.db")
    newest = max((folder / "migrations" / "versions").glob("*.py"), key=lambda path: path.stat().st_mtime_ns)
    click.echo(f"\nOpen {newest}: it begins with what happened on the site.")
    click.echo("Then, from here:\n")
    for name, *arguments in NEXT:
        filled = [word.format(ini=ini, samples=samples) for word in arguments]
        click.echo(f"    {shlex.join([_program(name), *filled])}")


def _program(name: str) -> str:
    """What to type for a command: its name where a shell finds it, else its path."""
    return name if shutil.which(name) else str(Path(sys.executable).parent / name)


def _step(title: str) -> None:
    click.secho(f"\n== {title}", bold=True)


def _run(name: str, *arguments: str, shown: int = 100) -> None:
    """Run a command as a user would, in an environment without credentials or another database."""
    click.secho(f"$ {name} {shlex.join(arguments)}", fg="cyan")
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and key[:3] != "SG_"}
    finished = subprocess.run(
        [sys.executable, "-m", name.replace("-", "_"), *arguments],
        env=environment, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    lines = (finished.stdout + finished.stderr).splitlines()
    lines = [line for line in lines if "alembic.runtime" not in line or "Running" in line]
    click.echo("\n".join(lines[:shown]))
    if len(lines) > shown:
        click.echo(f"... and {len(lines) - shown} more lines")
    if finished.returncode not in (DONE, DIFFERS, LOOK):
        raise DemoError(f"{name} {shlex.join(arguments)}")


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
