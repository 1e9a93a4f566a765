"""How quickly records arrive: `sg-migrate load` beside the bare client that reads the same pages and throws them away.

    python tests/benchmarks/load.py [RECORDS]

The site answers at once (what it was asked before), in a process of its own. Ratios are of one run on one machine.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bigsite import BigSite, big_schema
from engines import Databases, Servers, available_engines
from shotgun_api3.shotgun import Shotgun
from studio import Studio, environment

from sg_migrate.load.pool import Pool
from sg_migrate.load.run import load


def floor(site: BigSite, types: dict[str, list[str]], *, retired: bool) -> int:
    """Read every page with the client as it is; gives the number of records."""
    client = Shotgun(site.url, script_name="sg_migrate", api_key=BigSite.key)
    read = 0
    for entity_type, fields in types.items():
        for trash in (False, True) if retired else (False,):
            last = 0
            while True:
                page = client.find(
                    entity_type, [["id", "greater_than", last]], fields, [{"field_name": "id", "direction": "asc"}],
                    retired_only=trash, limit=500,
                )  # fmt: skip
                read += len(page)
                if len(page) < 500:
                    break
                last = page[-1]["id"]
    client.close()
    return read


def main(records: int) -> None:
    schema = big_schema(types=2)
    engines = [engine for engine in ("sqlite", "postgresql", "mariadb") if engine in available_engines()]
    with BigSite(schema, records) as site, environment(**site.environment), Servers() as servers:
        folder = Path(tempfile.mkdtemp())
        with Databases(servers, folder) as databases:
            for engine in engines:
                studio = Studio(folder / engine, databases.new(engine))
                studio.take(schema)
                studio.revise()
                studio.upgrade()
                fields = {
                    code: sorted(name for name in of.fields if name != "id") for code, of in schema.entity_types.items()
                }
                floor(site, fields, retired=True)  # so that the site has its answers
                gc.collect()
                began, cpu = time.perf_counter(), time.process_time()
                read = floor(site, fields, retired=True)
                least = time.perf_counter() - began
                print(f"{engine}: the bare client reads {read:,} records in {least:.1f} s ({read / least:,.0f}/s)")
                began = time.perf_counter()
                with Pool(jobs=1) as pool:
                    summary = load(studio.project(), pool)
                took = time.perf_counter() - began
                loaded = sum(outcome.read for outcome in summary.outcomes)
                print(f"{engine}: loaded {loaded:,} in {took:.1f} s ({loaded / took:,.0f}/s): {least / took:.2f} of it")
                del cpu


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
