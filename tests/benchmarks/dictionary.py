"""The dictionary beside erdscope on the same tables, as processor time of whole processes, in one run.

    python tests/benchmarks/dictionary.py

The largest real schema where the machine has it (``SG_MIGRATE_REAL_SCHEMAS``), the largest sample otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sites import REAL, SAMPLES

from sg_migrate import Settings, load_schema
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import to_metadata

SOURCE = max(REAL or SAMPLES, key=lambda path: path.stat().st_size)
RUNS = 3


def seconds(*command: str) -> float:
    """The least processor time of a whole process."""
    times = []
    for _ in range(RUNS):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(times)


def main() -> None:
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary, "warehouse.db")
        metadata = to_metadata(build_state(load_schema(SOURCE).schema, Settings(), {}))
        engine = sa.create_engine(f"sqlite:///{database}")
        metadata.create_all(engine)
        engine.dispose()
        ours, theirs = Path(temporary, "ours.html"), Path(temporary, "theirs.html")
        dictionary = (str(programs / "sg-migrate"), "dictionary", str(ours), "--from", str(SOURCE))
        erdscope = (str(programs / "erdscope"), f"sqlite:///{database}", "-o", str(theirs), "--no-open")
        commands = {"sg-migrate dictionary": (ours, dictionary), "erdscope": (theirs, erdscope)}
        table = Table("", "MB", "seconds", title=f"{len(metadata.tables)} tables of {SOURCE.stem}")
        for name, (page, command) in commands.items():
            taken = seconds(*command)
            table.add_row(name, f"{page.stat().st_size / 1e6:.2f}", f"{taken:.2f}")
        Console().print(table)


if __name__ == "__main__":
    main()
