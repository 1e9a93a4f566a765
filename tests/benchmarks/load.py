"""How records arrive: `sg-migrate load` beside the bare client that reads the same pages and throws them away.

    python tests/benchmarks/load.py [throughput] [latency] [backfill] [memory] [whole] [--large]

The site runs in a process of its own; for `throughput` it has its answers ready. Ratios are of one run on one machine.
Without a name, the first three are measured, with few records; `--large` takes the million that the others always take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bigsite import BigSite, big_schema
from engines import Databases, Servers, available_engines
from shotgun_api3.shotgun import Shotgun
from studio import Studio, environment

from sg_migrate.load.pool import Pool
from sg_migrate.load.run import Summary, load
from sg_migrate.load.session import Options
from sg_migrate.load.verify import verify
from sg_migrate.site.schema import SiteSchema

ENGINES = [engine for engine in ("sqlite", "postgresql", "mariadb") if engine in available_engines()]


def read_and_throw_away(site: BigSite, schema: SiteSchema) -> int:
    """Every page, active and retired, with the client as it is; gives the number of records."""
    client = Shotgun(site.url, script_name="sg_migrate", api_key=BigSite.key)
    read = 0
    for entity_type in schema.entity_types.values():
        fields = sorted(code for code in entity_type.fields if code != "id")
        for retired in (False, True):
            last = 0
            while True:
                page = client.find(
                    entity_type.code, [["id", "greater_than", last]], fields,
                    [{"field_name": "id", "direction": "asc"}], retired_only=retired, limit=500,
                )  # fmt: skip
                read += len(page)
                if len(page) < 500:
                    break
                last = page[-1]["id"]
    client.close()
    return read


def warehouse(folder: Path, url: str, schema: SiteSchema) -> Studio:
    studio = Studio(folder, url)
    follow(studio, schema)
    return studio


def follow(studio: Studio, schema: SiteSchema) -> None:
    studio.take(schema)
    studio.revise()
    studio.upgrade()


@contextmanager
def databases() -> Iterator[Databases]:
    with Servers() as servers, Databases(servers, Path(tempfile.mkdtemp())) as found:
        yield found


def loaded(studio: Studio, jobs: int, options: Options | None = None) -> tuple[Summary, float]:
    began = time.perf_counter()
    with Pool(jobs=jobs) as pool:
        summary = load(studio.project(), pool, (), options)
    return summary, time.perf_counter() - began


def throughput(records: int) -> None:
    schema = big_schema(types=2)
    with BigSite(schema, records) as site, environment(**site.environment), databases() as found:
        for engine in ENGINES:
            studio = warehouse(Path(tempfile.mkdtemp()) / engine, found.new(engine), schema)
            read_and_throw_away(site, schema)  # the site has its answers from here on
            began = time.perf_counter()
            read = read_and_throw_away(site, schema)
            floor = time.perf_counter() - began
            _, took = loaded(studio, jobs=1)
            print(f"throughput, {engine}: the bare client {read / floor:,.0f} records/s, loaded {read / took:,.0f}/s:"
                  f" {floor / took:.2f} of it")  # fmt: skip


def latency(records: int) -> None:
    schema = big_schema(types=2)
    with BigSite(schema, records) as site, environment(**site.environment), databases() as found:
        times = []
        for seconds in (0.0, 0.3):  # the first time the site gets its answers ready
            site.ask("set_latency", seconds)
            for jobs in (1, 4):
                studio = warehouse(Path(tempfile.mkdtemp()) / "p", found.new("sqlite"), schema)
                times.append(loaded(studio, jobs)[1])
        times = times[2:]
        print(f"latency of 300 ms: one job {times[0]:.1f} s, four {times[1]:.1f} s: {times[0] / times[1]:.2f} times")


def backfill(records: int) -> None:
    schema = big_schema(types=1, fields=3)
    with BigSite(schema, records, keeps=False) as site, environment(**site.environment), databases() as found:
        for engine in ENGINES:
            studio = warehouse(Path(tempfile.mkdtemp()) / engine, found.new(engine), schema)
            loaded(studio, 4)
            late = site.ask("with_late_field", 5)
            follow(studio, late)
            site.ask("requests")
            summary, took = loaded(studio, 4)
            requests = site.ask("requests")
            changed = sum(outcome.changed for outcome in summary.outcomes)
            print(f"backfill, {engine}: {records:,} records, 5 % with a value: {changed:,} rows written,"
                  f" {requests['read']} requests for records, {took:.1f} s")  # fmt: skip
            site.ask("without_late_field")


def memory(records: int) -> None:
    schema = big_schema(types=1)
    peaks = []
    for count in (10_000, records):
        with BigSite(schema, count, keeps=False) as site, databases() as found:
            studio = warehouse(Path(tempfile.mkdtemp()) / "p", found.new("sqlite"), schema)
            program = Path(sys.executable).parent / "sg-migrate"
            began = time.perf_counter()
            process = subprocess.Popen([program, "load"], cwd=studio.folder, env=os.environ | site.environment)
            _, status, usage = os.wait4(process.pid, 0)
            assert status == 0
            peaks.append(usage.ru_maxrss / 1024)
            print(f"memory: {count:,} records in {time.perf_counter() - began:.0f} s, {peaks[-1]:.0f} MB at most")
    print(f"memory: {peaks[1] - peaks[0]:.0f} MB more for {records:,} than for 10,000")


def whole(records: int) -> None:
    schema = big_schema(types=130, fields=12)
    with BigSite(schema, records, keeps=False) as site, environment(**site.environment), databases() as found:
        studio = warehouse(Path(tempfile.mkdtemp()) / "p", found.new(ENGINES[min(1, len(ENGINES) - 1)]), schema)
        summary, took = loaded(studio, 4)
        print(f"whole: {len(schema.entity_types)} types, {records:,} records: loaded in {took:.0f} s,"
              f" {summary.requests:,} requests")  # fmt: skip
        began = time.perf_counter()
        with Pool(jobs=4) as pool:
            proof = verify(studio.project(), pool)
        print(f"whole: verified in {time.perf_counter() - began:.0f} s: {len(proof.differences)} differences")
        edited = site.ask("change", 0.01)
        summary, took = loaded(studio, 4)
        changed = sum(outcome.changed for outcome in summary.outcomes)
        print(
            f"whole: {edited:,} records edited: {changed:,} rows written in {took:.0f} s, {summary.requests:,} requests"
        )
        summary, took = loaded(studio, 4)
        changed = sum(outcome.changed for outcome in summary.outcomes)
        print(f"whole: once more: {changed} rows written in {took:.0f} s, {summary.requests:,} requests")


def main(arguments: list[str]) -> None:
    large = "--large" in arguments
    names = [name for name in arguments if not name.startswith("-")] or ["throughput", "latency", "backfill"]
    sizes = {
        "throughput": 200_000 if large else 40_000, "latency": 60_000 if large else 40_000,
        "backfill": 500_000 if large else 50_000, "memory": 1_000_000, "whole": 1_000_000,
    }  # fmt: skip
    for name in names:
        {"throughput": throughput, "latency": latency, "backfill": backfill, "memory": memory, "whole": whole}[name](
            sizes[name]
        )


if __name__ == "__main__":
    main(sys.argv[1:])
