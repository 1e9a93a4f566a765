"""Models beside shotgrid_orm and beside plain SQLAlchemy classes; each pair in one run, as processor time.

    python tests/benchmarks/models.py

The largest real schema where the machine has it (``SG_MIGRATE_REAL_SCHEMAS``), the largest sample otherwise.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import DeclarativeBase, Session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sites import REAL, SAMPLES

SOURCE = max(REAL or SAMPLES, key=lambda path: path.stat().st_size)
ROWS = 100_000
TASKS = 10_000

OURS = """
import sys, time
begin = time.process_time()
from sg_migrate.models.script import render_models
from sg_migrate.models.sources import plan_for
import sqlalchemy.orm
imported = time.process_time()
with open(sys.argv[2] + "/ours.py", "w") as file:
    file.write(render_models(plan_for(sys.argv[1])))
sys.path.insert(0, sys.argv[2])
import ours
sqlalchemy.orm.configure_mappers()
print(time.process_time() - imported, time.process_time() - begin)
"""
THEIRS = """
import sys, time
begin = time.process_time()
from shotgrid_orm import SGORM, SchemaType
import sqlalchemy.orm
imported = time.process_time()
SGORM(SchemaType.JSON_FILE, sys.argv[1], echo=False).create_script(sys.argv[2] + "/theirs.py")
sys.path.insert(0, sys.argv[2])
import theirs
sqlalchemy.orm.configure_mappers()
print(time.process_time() - imported, time.process_time() - begin)
"""


def generation(console: Console) -> None:
    """From the schema's file to configured classes of a script, in new processes; the best of five."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(5):
        for name, code in (("sg_migrate", OURS), ("shotgrid_orm", THEIRS)):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-W", "ignore", "-c", code, str(SOURCE), folder]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
            work, whole = map(float, done.stdout.split()[-2:])
            before = best.get(name, (work, whole))
            best[name] = (min(work, before[0]), min(whole, before[1]))
    table = Table("", "generated, imported, configured", "the whole process")
    for name, (work, whole) in best.items():
        table.add_row(name, f"{work:.2f} s", f"{whole:.2f} s")
    ours, theirs = best["sg_migrate"], best["shotgrid_orm"]
    table.add_row("ratio", f"{ours[0] / theirs[0]:.2f}", f"{ours[1] / theirs[1]:.2f}")
    console.print(f"{SOURCE.name}, CPU", table)


def reading(console: Console) -> None:
    """Rows read as objects, ours and plain classes over the same table, in turns; the best of five."""
    from sg_migrate.models import build_models

    models = build_models(SAMPLES[4])
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    shot_of = models["Shot"]
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with Session(engine) as session:
        session.execute(
            sa.insert(shot_of),
            [
                {
                    "id": number, "code": f"shot {number}", "project_id": 1, "project_type": "Project",
                    "created_at": moment + timedelta(seconds=number), "updated_at": moment + timedelta(hours=number),
                }
                for number in range(1, ROWS + 1)
            ],
        )  # fmt: skip
        session.commit()

    class Base(DeclarativeBase):
        pass

    stock = {
        column.name: sa.Column(column.name, stock_type(column.type), primary_key=column.primary_key)
        for column in shot_of.__table__.columns
    }
    plain = type("Plain", (Base,), {"__table__": sa.Table("shot", Base.metadata, *stock.values())})
    best = {"sg_migrate": 1e9, "plain SQLAlchemy": 1e9}
    for _ in range(5):
        for name, cls in (("sg_migrate", shot_of), ("plain SQLAlchemy", plain)):
            with Session(engine) as session:
                begin = time.process_time()
                assert len(session.scalars(sa.select(cls)).all()) == ROWS
                best[name] = min(best[name], time.process_time() - begin)
    table = Table("", f"{ROWS:,} rows of {len(stock)} columns, two moments in each")
    for name, seconds in best.items():
        table.add_row(name, f"{seconds:.2f} s")
    table.add_row("ratio", f"{best['sg_migrate'] / best['plain SQLAlchemy']:.2f}")
    console.print(table)


def stock_type(type_: Any) -> Any:
    """The type that somebody would have written by hand."""
    if isinstance(type_, sa.types.TypeDecorator):
        return sa.DateTime(timezone=True)
    return sa.Float() if isinstance(type_, sa.Numeric) else type_


def fetching(console: Console) -> None:
    """Queries for what many tasks lead to."""
    from sg_migrate.models import build_models, prefetch

    models = build_models(SAMPLES[4])
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    task_of, types = models["Task"], ("Asset", "Sequence", "Shot")
    with Session(engine) as session:
        for code in (*types, "Project"):
            session.execute(sa.insert(models[code]), [{"id": number} for number in range(1, 1001)])
        rows = [
            {
                "id": number, "project_id": number % 20 + 1, "project_type": "Project",
                "entity_id": number % 1000 + 1, "entity_type": types[number % 3],
            }
            for number in range(1, TASKS + 1)
        ]  # fmt: skip
        session.execute(sa.insert(task_of), rows)
        session.commit()
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    with Session(engine) as session:
        begin = time.process_time()
        tasks = session.scalars(sa.select(task_of)).all()
        prefetch(session, tasks, task_of.entity, task_of.project)
        reached = {id(target) for task in tasks for target in (task.entity, task.project)}
        seconds = time.process_time() - begin
    console.print(
        f"{TASKS:,} tasks with entity and project: {len(statements)} queries for 1 + {len(types) + 1} types present, "
        f"{len(reached):,} records, {seconds:.2f} s"
    )


def main() -> None:
    """Print the figures."""
    console = Console()
    if importlib.util.find_spec("shotgrid_orm"):
        generation(console)
    reading(console)
    fetching(console)


if __name__ == "__main__":
    main()
