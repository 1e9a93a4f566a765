"""What one plain MariaDB, one node of a Galera cluster and both of its nodes load per second, in one run.

    python tests/benchmarks/galera_load.py [RECORDS]

Both nodes run on this machine, so that what they cost each other is in the figures, and what more machines would
bring is not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bigsite import BigSite, big_schema
from engines import Databases, Servers
from galera import Cluster
from studio import Studio, environment

TYPES = 4


def seconds(studio: Studio, site: BigSite, parts: dict[str, str]) -> float:
    """How long loads side by side take: the patterns of each, by the database that it goes to."""
    own = {**os.environ, **site.environment}
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [str(Path(sys.executable).parent / "sg-migrate"), "load", "--full", *patterns.split()],
            cwd=studio.folder, env={**own, "DATABASE_URL": url}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for url, patterns in parts.items()
    ]  # fmt: skip
    for command in running:
        _, said = command.communicate()
        assert command.returncode == 0, said.decode()
    return time.perf_counter() - began


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    schema = big_schema(types=TYPES)
    halves = ("CustomEntity0[12]", "CustomEntity0[34]")
    table = Table("", "records/s", title=f"{records:,} records of {TYPES} entity types")
    folder = Path(tempfile.mkdtemp())
    with (
        BigSite(schema, records) as site,
        environment(**site.environment),
        Servers() as servers,
        Cluster() as cluster,
        Databases(servers, folder) as databases,
    ):
        plain = databases.new("mariadb")
        first, second = cluster.create_database()
        cases = {
            "": (plain, {plain: "Custom*"}),  # the site has its answers ready from here on
            "plain MariaDB": (plain, {plain: "Custom*"}),
            "one node of two": (first, {first: "Custom*"}),
            "both nodes, half of the types each": (first, {first: halves[0], second: halves[1]}),
        }
        studios: dict[str, Studio] = {}
        for name, (url, parts) in cases.items():
            if url not in studios:
                studios[url] = Studio(folder / f"project{len(studios)}", url)
                studios[url].take(schema)
                studios[url].revise()
                studios[url].upgrade()
            else:
                studios[url].downgrade("base")
                studios[url].upgrade()
            speed = records / seconds(studios[url], site, parts)
            if name:
                table.add_row(name, f"{speed:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
