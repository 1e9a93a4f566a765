"""Histories to run on every engine: generated once on SQLite, then taken to any database, one state at a time."""

from __future__ import annotations

import datetime
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic.command
from alembic.config import Config

from sg_migrate import load, merge, read_snapshot, write_snapshot
from sg_migrate.revisions.template import create_project

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "sample_schemas").glob("*.json"))
REAL = sorted((ROOT.parent / "shared" / "real_schemas").glob("*.json"))

TODAY = datetime.date(2026, 1, 1)


def write_site(path: Path, entity_types: dict[str, dict[str, str]], descriptions: dict[str, str] | None = None) -> Path:
    """A site's schema as ``schema_read()`` gives it: each field as ``"number"`` or ``"entity Asset Shot"``."""

    def field(code: str, words: list[str]) -> dict[str, Any]:
        properties = {"valid_types": {"value": words[1:]}} if words[1:] else {}
        name = {"value": code.replace("_", " ").title()}
        description = {"value": (descriptions or {}).get(code, "")}
        return {"name": name, "description": description, "data_type": {"value": words[0]}, "properties": properties}

    raw = {
        entity_type: {code: field(code, kind.split()) for code, kind in {"id": "number", **fields}.items()}
        for entity_type, fields in entity_types.items()
    }
    path.write_text(json.dumps(raw), "utf-8")
    return path


class Warehouse:
    """An Alembic project of ours, run in this process, on a database of the caller's choice."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        ini = create_project(folder, url=url)
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        ini.write_text(ini.read_text("utf-8").replace("[sg_migrate]\n", f"[sg_migrate]\n{lines}"), "utf-8")
        self.ini = ini
        self.folder = folder
        self.url = url

    @classmethod
    def at(cls, folder: Path, url: str) -> Warehouse:
        """A project that exists already."""
        warehouse = cls.__new__(cls)
        warehouse.ini, warehouse.folder, warehouse.url = folder / "alembic.ini", folder, url
        return warehouse

    @property
    def versions(self) -> Path:
        return self.folder / "migrations" / "versions"

    @property
    def snapshot(self) -> Path:
        return self.folder / "migrations" / "site_schema.json"

    def config(self, *arguments: str) -> Config:
        """A configuration for one command; ``arguments`` are those of ``-x``."""
        config = Config(str(self.ini), output_buffer=io.StringIO(), stdout=io.StringIO())
        config.set_main_option("sqlalchemy.url", self.url.replace("%", "%%"))
        config.cmd_opts = _CommandOptions(list(arguments))  # type: ignore[assignment]
        return config

    def take(self, site: Path) -> None:
        """Merge a site's schema into the snapshot."""
        stored = read_snapshot(self.snapshot) if self.snapshot.exists() else None
        write_snapshot(self.snapshot, merge(stored, load(site).schema, today=TODAY, accept_retirements=True))

    def revision(self, name: str) -> Path:
        alembic.command.revision(self.config(), name, autogenerate=True, rev_id=name)
        return next(self.versions.glob(f"{name}_*.py"))

    def upgrade(self, revision: str = "head", *arguments: str) -> None:
        alembic.command.upgrade(self.config(*arguments), revision)

    def downgrade(self, revision: str, *arguments: str) -> None:
        alembic.command.downgrade(self.config(*arguments), revision)

    def check(self) -> None:
        """Raises what ``alembic check`` would end with when anything differs."""
        alembic.command.check(self.config())

    def script(self, revision: str = "head") -> str:
        """What ``alembic upgrade REVISION --sql`` prints."""
        config = self.config()
        assert isinstance(config.output_buffer, io.StringIO)
        alembic.command.upgrade(config, revision, sql=True)
        return config.output_buffer.getvalue()

    def script_down(self, revisions: str) -> str:
        """What ``alembic downgrade FROM:TO --sql`` prints."""
        config = self.config()
        assert isinstance(config.output_buffer, io.StringIO)
        alembic.command.downgrade(config, revisions, sql=True)
        return config.output_buffer.getvalue()


@dataclass
class _CommandOptions:
    x: list[str]


@dataclass(frozen=True)
class Step:
    """One state of a site: its snapshot, and the revision that leads to it."""

    name: str
    snapshot: str
    revisions: dict[str, str] = field(default_factory=dict)
    """The files of all revisions so far, by name."""


def history(folder: Path, states: Sequence[Path], **settings: str) -> list[Step]:
    """The steps of a history, generated on SQLite."""
    warehouse = Warehouse(folder, f"sqlite:///{folder}/generated.db", **settings)
    steps = []
    for number, state in enumerate(states, 1):
        warehouse.take(state)
        warehouse.revision(f"r{number}")
        warehouse.upgrade()
        files = {path.name: path.read_text("utf-8") for path in sorted(warehouse.versions.glob("*.py"))}
        steps.append(Step(state.stem, warehouse.snapshot.read_text("utf-8"), files))
    return steps


def replay(warehouse: Warehouse, steps: Sequence[Step]) -> Iterator[Step]:
    """Take ``warehouse`` through the history; yields after each upgrade."""
    for step in steps:
        warehouse.snapshot.write_text(step.snapshot, "utf-8")
        for name, text in step.revisions.items():
            (warehouse.versions / name).write_text(text, "utf-8")
        shutil.rmtree(warehouse.versions / "__pycache__", ignore_errors=True)
        warehouse.upgrade()
        yield step
