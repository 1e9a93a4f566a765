"""``sg-migrate demo``: the whole loop on SQLite, with a small site of an invented studio on this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sg_migrate.errors import DemoError, ProjectExistsError
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK
from sg_migrate.packaged import packaged_folder

if TYPE_CHECKING:
    from sg_migrate.demo.records import Records

BEFORE, AFTER = "02-2024-07-layout.json", "03-2024-12-shots.json"

SHOTS = {
    1001: {"code": "nm_010_0010", "sg_turnover": "34"},
    1002: {"code": "nm_010_0020", "sg_turnover": "wk 34"},
    1003: {"code": "nm_010_0030", "sg_turnover": "35"},
}
LATER: dict[int, dict[str, Any]] = {
    1001: {"sg_turnover": 34, "sg_sort_hack": 20},
    1002: {"sg_turnover": None, "sg_sort_hack": 10},
    1003: {"sg_turnover": 35, "sg_sort_hack": None},
}
"""What the site makes of them half a year later: turnovers are numbers, and there is a new field."""
SHOWN_LINES = 16
"""Of the review: a story is short."""
NEXT = (
    ("sg-migrate", "review", "-c", "{ini}", "head", "--details"),
    ("alembic", "-c", "{ini}", "downgrade", "-1"),
    ("alembic", "-c", "{ini}", "upgrade", "head"),
    ("sg-migrate", "revision", "-c", "{ini}", "--from", "{samples}/04-2025-05-crunch.json"),
)
"""What to try in the project that the demo leaves."""
COLUMNS = ("code", "sg_turnover", "sg_turnover__was_text", "sg_sort_hack")


@click.command(name="demo", epilog="Example: sg-migrate demo /tmp/sg-demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo")
def command(folder: Path) -> None:
    """Run the whole loop in FOLDER on SQLite: a site, revisions, records, a change on the site, records again.

    It needs no ShotGrid site and no network: a small one runs on this machine meanwhile. It leaves a project to play
    with.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ProjectExistsError(str(folder))
    from sg_migrate.demo.event_log import log_changes
    from sg_migrate.demo.server import LocalSite
    from sg_migrate.site.sources import load_schema

    samples = packaged_folder("sample_schemas")
    with LocalSite(load_schema(samples / BEFORE).schema) as site:
        _fill(site.records)
        _first_week(folder, site.environment)
        after = load_schema(samples / AFTER).schema
        log_changes(site.records, load_schema(samples / BEFORE).schema, after, "2024-11-19T10:12:00Z")
        site.schema = after
        for record_id, values in LATER.items():
            site.records.values["Shot"][record_id].update(values)
        _half_a_year_later(folder, site.environment)
    _check(folder / "warehouse.db")
    newest = max((folder / "migrations" / "versions").glob("*.py"), key=lambda path: path.stat().st_mtime_ns)
    click.echo(f"\nOpen {newest}: it begins with what happened on the site.")
    click.echo("Then, from here:\n")
    for name, *arguments in NEXT:
        filled = [word.format(ini=folder / "alembic.ini", samples=samples) for word in arguments]
        click.echo(f"    {shlex.join([_program(name), *filled])}")


def _fill(records: Records) -> None:
    """A production and its shots."""
    records.put("Project", 70, {"name": "Night Market"})
    project = {"type": "Project", "id": 70, "name": "Night Market"}
    for record_id, values in SHOTS.items():
        records.put("Shot", record_id, {**values, "project": project, "updated_at": "2024-07-01T09:00:00Z"})


def _first_week(folder: Path, environment: Mapping[str, str]) -> None:
    ini = str(folder / "alembic.ini")
    _step("A project that follows the site of an invented studio, and the revision that builds its warehouse")
    _run(environment, "sg-migrate", "init", str(folder), "--live")
    _run(environment, "sg-migrate", "revision", "-c", ini, "-m", "first", shown=4)
    _run(environment, "alembic", "-c", ini, "upgrade", "head")
    _step("Its records")
    _run(environment, "sg-migrate", "load", "-c", ini)
    _show(folder / "warehouse.db")


def _half_a_year_later(folder: Path, environment: Mapping[str, str]) -> None:
    ini = str(folder / "alembic.ini")
    _step("Half a year later producers have changed the site: Monday's revision, with its review")
    _run(environment, "sg-migrate", "revision", "-c", ini, "-m", "weekly sync", shown=SHOWN_LINES)
    _run(environment, "alembic", "-c", ini, "upgrade", "head")
    _step("The new field's values arrive; every old value is still there")
    _run(environment, "sg-migrate", "load", "-c", ini)
    _show(folder / "warehouse.db")


def _program(name: str) -> str:
    """What to type for a command: its name where a shell finds it, else its path."""
    return name if shutil.which(name) else str(Path(sys.executable).parent / name)


def _step(title: str) -> None:
    click.secho(f"\n== {title}", bold=True)


def _run(site: Mapping[str, str], name: str, *arguments: str, shown: int = 100) -> None:
    """Run a command as a user would, in an environment with the site's address and no other database."""
    click.secho(f"$ {name} {shlex.join(arguments)}", fg="cyan")
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and key[:3] != "SG_"}
    finished = subprocess.run(
        [sys.executable, "-m", name.replace("-", "_"), *arguments],
        env={**environment, **site}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    lines = (finished.stdout + finished.stderr).splitlines()
    lines = [line for line in lines if "alembic.runtime" not in line or "Running" in line]
    click.echo("\n".join(lines[:shown]))
    if len(lines) > shown:
        click.echo(f"... and {len(lines) - shown} more lines")
    if finished.returncode not in (DONE, DIFFERS, LOOK):
        raise DemoError(f"{name} {shlex.join(arguments)}")


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
    """Prove it: every value that the site had, then and now, is in the row of its record."""
    for record_id, row in zip(SHOTS, _rows(database), strict=True):
        values = {*SHOTS[record_id].values(), *LATER[record_id].values()}
        if not values <= {*row.values(), None}:
            raise DemoError(f"a value of {row['code']} is gone")
