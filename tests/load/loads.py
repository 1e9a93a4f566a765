"""A project whose warehouse is loaded from a local site, in this process or by the real command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from people import STUDIO, People, differences
from studio import Studio, environment
from testsite import LocalSite

from sg_migrate.load.pool import Pool
from sg_migrate.load.run import Summary, load
from sg_migrate.load.session import Options
from sg_migrate.site.schema import SiteSchema


class Loads:
    """A site with people, and a warehouse of it that is empty at first."""

    def __init__(self, site: LocalSite, studio: Studio) -> None:
        self.site, self.studio = site, studio
        self.people = People(site)
        self.records = site.records

    def load(self, *types: str, jobs: int = 2, **options: Any) -> Summary:
        """One load; ``requests`` of the site count from here."""
        self.site.requests.clear()
        self.site.reads.clear()
        with Pool(jobs=jobs, wait=0.01) as pool:
            return load(self.studio.project(), pool, types, Options(**options))

    def changed(self, summary: Summary) -> dict[str, int]:
        """How many rows were written, by entity type, where any were."""
        return {one.entity_type: one.changed for one in summary.outcomes if one.changed}

    def command(self, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """The real command, as a user calls it."""
        return self.studio.run("sg-migrate", "load", *arguments, env=self.site.environment, fails=fails)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.studio.rows(query)

    def follow(self, schema: SiteSchema) -> None:
        """The site's schema changes, and the warehouse follows."""
        self.site.schema = schema
        self.studio.take(schema)
        self.studio.revise()
        self.studio.upgrade()


@contextmanager
def loads(folder: Path, url: str, schema: SiteSchema, **settings: str) -> Iterator[Loads]:
    """A running site of a schema, and a project at its head."""
    with LocalSite(schema) as site, environment(**site.environment), pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        studio = Studio(folder, url, **settings)
        studio.take(schema)
        studio.revise()
        studio.upgrade()
        yield Loads(site, studio)


def fill(studio: Loads, shots: int = 12) -> Loads:
    """A project, a sequence with its shots, an asset."""
    people = studio.people
    people.create("Project", {"name": "One"})
    project = {"type": "Project", "id": people.ids["Project"], "name": "One"}
    sequence = people.create("Sequence", {"code": "sq", "project": project})
    asset = people.create("Asset", {"code": "tree", "project": project})
    for number in range(shots):
        values = {
            "code": f"sh{number}", "sg_cut_in": number, "project": project,
            "sg_sequence": {"type": "Sequence", "id": sequence}, "sg_assets": [{"type": "Asset", "id": asset}],
        }  # fmt: skip
        people.create("Shot", values)
    return studio


def shots(studio: Loads) -> list[int]:
    return list(studio.records.ids["Shot", False])


def same(studio: Loads, schema: SiteSchema = STUDIO) -> None:
    assert differences(studio.site, schema, studio.studio.url) == []
