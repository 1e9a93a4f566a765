"""A pytest plugin: a project of ours and the real ``alembic`` command in it.

A module that says ``pytest_plugins = ["projects"]`` has these fixtures.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from sg_migrate import EntityType, Field, SiteSchema, merge, read_snapshot, write_snapshot
from sg_migrate.revisions.template import create_project


class Site:
    """A project in ``folder``, whose site has what `take` was told last."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.folder = folder
        self.url = url
        self.ini = create_project(folder, url=url)
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        self.ini.write_text(self.ini.read_text("utf-8").replace("[sg_migrate]\n", f"[sg_migrate]\n{lines}"), "utf-8")

    def take(self, entity_types: dict[str, dict[str, str]]) -> None:
        """The site's schema: each field as ``"number"``, or ``"entity Shot"`` with its valid types."""
        found = {}
        for code, kinds in entity_types.items():
            fields = {}
            for name, kind in {"id": "number", **kinds}.items():
                data_type, *valid_types = kind.split()
                fields[name] = Field(code, name, data_type, name.title(), valid_types=tuple(valid_types))
            found[code] = EntityType(code, code, fields=dict(sorted(fields.items())))
        path = self.folder / "migrations" / "site_schema.json"
        stored = read_snapshot(path) if path.exists() else None
        schema = SiteSchema(dict(sorted(found.items())))
        write_snapshot(path, merge(stored, schema, today=date(2026, 1, 1), accept_retirements=True))

    def alembic(self, *arguments: str, url: str = "", fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the command; it must succeed, or fail without a traceback where that is expected."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SG_")}
        finished = subprocess.run(
            [str(Path(sys.executable).parent / "alembic"), *arguments],
            cwd=self.folder,
            env={**environment, "DATABASE_URL": url or self.url},
            capture_output=True,
            text=True,
        )
        assert (finished.returncode != 0) == fails, finished.stdout + finished.stderr
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished

    def revise(self, revision: str) -> Path:
        self.alembic("revision", "--autogenerate", "-m", "made", "--rev-id", revision)
        return self.folder / "migrations" / "versions" / f"{revision}_made.py"


@pytest.fixture(scope="session")
def make_site() -> type[Site]:
    """Makes a project: ``make_site(folder, url, foreign_keys="true")``."""
    return Site


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """Makes the test's project: ``site(url, foreign_keys="true")``."""
    return lambda url, **settings: Site(tmp_path / "project", url, **settings)
