"""A very large schema beside one real site's: processor time per field, and peak memory, of whole commands.

    python tests/benchmarks/large_schema.py [TIMES] [WEEKS]

The largest real schema where the machine has it (``SG_MIGRATE_REAL_SCHEMAS``), the largest sample otherwise; beside it
the same entity types so many times over (12), under other names; then a history of so many weekly revisions (156).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sites import REAL, SAMPLES
from testsite import raw_schema

from sg_migrate import SiteSchema, load_schema

SOURCE = max(REAL or SAMPLES, key=lambda path: path.stat().st_size)
PROGRAMS = Path(sys.executable).parent
CHANGED = 40
"""Entity types that get a field from one week to the next."""
COMMANDS: dict[str, Sequence[str]] = {
    "revision, the first": ("sg-migrate", "revision", "-m", "first"),
    "alembic upgrade": ("alembic", "upgrade", "head"),
    "snapshot": ("sg-migrate", "snapshot", "--from", "../week.json"),
    "revision, the next": ("sg-migrate", "revision", "-m", "next"),
    "review": ("sg-migrate", "review", "head"),
    "alembic upgrade, the next": ("alembic", "upgrade", "head"),
    "check": ("sg-migrate", "check"),
    "alembic current": ("alembic", "current"),
    "dictionary": ("sg-migrate", "dictionary", "dictionary.html"),
    "models": ("sg-migrate", "models", "models.py"),
}


def many(schema: SiteSchema, times: int) -> SiteSchema:
    """The entity types so many times over, each set with links among its own."""
    entity_types = {}
    for number in range(times):
        ending = f"{number:02}" if number else ""
        own = {code: f"{code}{ending}" for code in schema.entity_types}
        for code, entity_type in schema.entity_types.items():
            fields = {
                name: replace(field, entity_type=own[code],
                              valid_types=tuple(own.get(valid, valid) for valid in field.valid_types))
                for name, field in entity_type.fields.items()
            }  # fmt: skip
            entity_types[own[code]] = replace(entity_type, code=own[code], fields=fields)
    return replace(schema, entity_types=entity_types)


def with_fields(fields: dict[str, Any], week: int) -> dict[str, Any]:
    """The same with a new field in some of the entity types."""
    changed = dict(fields)
    codes = sorted(fields)
    for number in range(CHANGED):
        code = codes[(week * CHANGED + number) % len(codes)]
        added = deepcopy(fields[code]["id"])
        added["name"]["value"], added["data_type"]["value"] = f"Week {week}", "text"
        changed[code] = {**changed[code], f"sg_week_{week}": added}
    return changed


def measured(command: Sequence[str], folder: str) -> tuple[float, float]:
    """Processor seconds and megabytes of a command; run in a process of its own, whose children are only this one."""
    done = subprocess.run([str(PROGRAMS / command[0]), *command[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode in (0, 3, 4), done.stderr
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def run(command: Sequence[str], folder: Path) -> tuple[float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (command, str(folder)))


def site(schema: SiteSchema, folder: Path) -> tuple[dict[str, tuple[float, float]], int]:
    """Every command on a site, and how many fields it has."""
    fields, entities = raw_schema(schema)
    for name, found in (("first", fields), ("week", with_fields(fields, 0))):
        (folder / f"{name}.json").write_text(json.dumps({"schema_read": found, "schema_entity_read": entities}))
    results = {"init": run(("sg-migrate", "init", "project", "--from", "first.json"), folder)}
    for name, command in COMMANDS.items():
        results[name] = run(command, folder / "project")
    return results, sum(len(found) for found in fields.values())


def weeks(schema: SiteSchema, folder: Path, number: int) -> dict[str, tuple[float, float]]:
    """Some of the commands after so many weekly revisions."""
    fields, entities = raw_schema(schema)
    (folder / "week.json").write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
    run(("sg-migrate", "init", "project", "--from", "week.json"), folder)
    run(("sg-migrate", "revision", "-m", "first"), folder / "project")
    for week in range(number):
        fields = with_fields(fields, week)
        (folder / "week.json").write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
        last = run(("sg-migrate", "revision", "-m", f"week {week}", "--from", "../week.json"), folder / "project")
    names = ("alembic upgrade", "review", "check", "alembic current", "dictionary", "models")
    return {"revision": last, **{name: run(COMMANDS[name], folder / "project") for name in names}}


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    times, number = [*map(int, sys.argv[1:3]), *(12, 156)[len(sys.argv) - 1 :]]
    schema = load_schema(SOURCE).schema
    console = Console()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        (small, few), (large, lots) = site(schema, Path(one)), site(many(schema, times), Path(other))
    title = f"{SOURCE.stem}: {few:,} fields, and {lots:,}"
    table = Table("", "s", "s", "per field", "MB", title=title)
    for name, (seconds, _) in small.items():
        there, megabytes = large[name]
        ratio = there / lots / (seconds / few)
        table.add_row(name, f"{seconds:.2f}", f"{there:.1f}", f"{ratio:.2f}", f"{megabytes:.0f}")
    console.print(table)
    if number:
        with tempfile.TemporaryDirectory() as folder:
            found = weeks(schema, Path(folder), number)
        table = Table("", "s", "MB", title=f"{SOURCE.stem} after {number} weekly revisions")
        for name, (seconds, megabytes) in found.items():
            table.add_row(name, f"{seconds:.2f}", f"{megabytes:.0f}")
        console.print(table)


if __name__ == "__main__":
    main()
