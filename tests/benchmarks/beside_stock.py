"""How long our commands take beside stock Alembic's with the same tables: ratios measured side by side in one run.

Stock Alembic unpickles the MetaData that our model makes; both sides go through the ``alembic`` command, in turns. What
counts is the processor time of the whole process (user and system), the median of the rounds. The site is a real one at
two moments, where the machine has it; larger sites have every entity type under several names. A field that changed its
type in between keeps the old one, because stock Alembic cannot convert it.

    python tests/benchmarks/beside_stock.py [--engine sqlite] [--scale 1 3 10] [--rounds 3] [--tiny]
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines import Databases, Servers
from sites import REAL, SAMPLES
from studio import Studio, run

from sg_migrate import EntityType, SiteSchema, load_schema
from sg_migrate.warehouse.state import to_metadata

COMMANDS = {
    "first revision": ("revision", "--autogenerate", "-m", "first"),
    "first upgrade": ("upgrade", "head"),
    "check": ("check",),
    "second revision": ("revision", "--autogenerate", "-m", "second"),
    "second upgrade": ("upgrade", "head"),
}
STOCK_ENV = """
import os, pickle
from alembic import context
from sqlalchemy import create_engine, pool

with open(os.path.join(os.path.dirname(__file__), "metadata.pickle"), "rb") as file:
    target_metadata = pickle.load(file)
with create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, target_metadata=target_metadata, render_as_batch=BATCH)
    with context.begin_transaction():
        context.run_migrations()
"""


def sites(scale: int, tiny: bool) -> tuple[SiteSchema, SiteSchema]:
    """A site at two moments, so many times as large."""
    known = {path.stem: path for path in REAL}
    paths = SAMPLES[:2] if tiny else [known[f"site-a-{day}"] for day in ("2017-05-04", "2020-05-05")]
    old, new = (load_schema(path).schema for path in paths)
    return copied(old, scale), copied(_same_types(old, new), scale)


def _same_types(old: SiteSchema, new: SiteSchema) -> SiteSchema:
    entity_types = {}
    for code, entity_type in new.entity_types.items():
        before = old.entity_types[code].fields if code in old.entity_types else {}
        fields = {
            name: replace(field, data_type=before[name].data_type, properties=before[name].properties)
            if name in before
            else field
            for name, field in entity_type.fields.items()
        }
        entity_types[code] = replace(entity_type, fields=fields)
    return replace(new, entity_types=entity_types)


def copied(site: SiteSchema, scale: int) -> SiteSchema:
    """The site with every entity type under so many names."""
    entity_types: dict[str, EntityType] = {}
    for number in range(scale):
        for code, entity_type in site.entity_types.items():
            name = f"{code}X{number}" if number else code
            fields = {key: replace(field, entity_type=name) for key, field in entity_type.fields.items()}
            entity_types[name] = replace(entity_type, code=name, fields=fields)
    return replace(site, entity_types=dict(sorted(entity_types.items())))


def seconds(folder: Path, *command: str) -> float:
    """The processor time of an ``alembic`` command."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("SG_")}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "alembic"), *command],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode:
            raise SystemExit(f"alembic {' '.join(command)} in {folder}:\n{said.read().decode()[-3000:]}")
    return usage.ru_utime + usage.ru_stime


class Stock:
    """Stock Alembic with a pickled MetaData."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        run(folder.parent, "alembic", "init", str(folder / "migrations"))
        text = (folder.parent / "alembic.ini").read_text(encoding="utf-8")
        (folder.parent / "alembic.ini").unlink()
        text = text.replace("driver://user:pass@localhost/dbname", url.replace("%", "%%"))
        (folder / "alembic.ini").write_text(text.replace("%(here)s/stock/", "%(here)s/"), encoding="utf-8")
        batch = repr(url.startswith("sqlite"))
        (folder / "migrations" / "env.py").write_text(STOCK_ENV.replace("BATCH", batch), encoding="utf-8")
        mako = folder / "migrations" / "script.py.mako"
        imports = (
            "import sqlalchemy as sa\nfrom sqlalchemy import Text\nfrom sqlalchemy.dialects import mysql, postgresql\n"
        )
        mako.write_text(mako.read_text().replace("import sqlalchemy as sa\n", imports), encoding="utf-8")

    def take(self, metadata: sa.MetaData) -> None:
        (self.folder / "migrations" / "metadata.pickle").write_bytes(pickle.dumps(metadata))


def measure(
    folder: Path, databases: Databases, engine: str, pair: tuple[SiteSchema, SiteSchema]
) -> dict[str, list[float]]:
    """The times of each command, ours and stock's."""
    folder.mkdir()
    ours, stock = Studio(folder / "ours", databases.new(engine)), Stock(folder / "stock", databases.new(engine))
    found: dict[str, list[float]] = {}
    for name, command in COMMANDS.items():
        if name.endswith("revision"):
            ours.take(pair[name.startswith("second")])
            stock.take(to_metadata(ours.model()))
        found[name] = [seconds(ours.folder, *command), seconds(stock.folder, *command)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--scale", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="the sample schemas instead of a real site")
    arguments = parser.parse_args()
    if not arguments.tiny and not REAL:
        print("There is nothing to measure: the real schemas are not on this machine.")
        return
    with tempfile.TemporaryDirectory() as temporary, Servers() as servers:
        databases = Databases(servers, Path(temporary))
        print("ratio of processor times, ours / stock Alembic with the same tables (ours in ms per field)")
        for engine in arguments.engine:
            for scale in arguments.scale:
                pair = sites(scale, arguments.tiny)
                fields = sum(1 for _ in pair[1].fields())
                rounds = [
                    measure(Path(temporary) / f"{engine}{scale}{number}", databases, engine, pair)
                    for number in range(arguments.rounds)
                ]
                words = []
                for name in COMMANDS:
                    mine, theirs = (median(one[name][side] for one in rounds) for side in (0, 1))
                    words.append(f"{name} {mine / theirs:.2f} ({mine * 1000 / fields:.2f})")
                print(f"{engine} x{scale}, {fields} fields: {', '.join(words)}", flush=True)


if __name__ == "__main__":
    main()
