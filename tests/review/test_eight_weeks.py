"""Eight Mondays of a studio through the command line alone; weeks/README.md says why each line of a review is there."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from engines import Databases
from golden import assert_golden
from sites import changed, site
from structure import raw_connection
from studio import execute, run
from testsite import raw_schema

from sg_migrate.site.schema import SiteSchema

WEEKS = Path(__file__).parent / "weeks"
BIN = Path(sys.executable).parent


def called(schema: SiteSchema, entity_type: str, name: str) -> SiteSchema:
    renamed = replace(schema.entity_types[entity_type], name=name)
    return replace(schema, entity_types={**schema.entity_types, entity_type: renamed})


SITE = site(
    Shot={
        "code": "text Shot Code", "sg_cut_in": "text Cut In", "sg_old": "text Old Notes", "sg_temp": "text Temp",
        "sg_plates": "multi_entity:Version Plates",
    },
    Version={"code": "text Version Name"},
    CustomEntity07={"code": "text Vendor Delivery Name", "sg_vendor": "text Vendor"},
)  # fmt: skip
FIRST = called(SITE, "CustomEntity07", "Vendor Delivery")


@dataclass
class Week:
    """A project that is used by its commands, and the site as a file that somebody exports every Monday."""

    folder: Path
    url: str
    number: int = 0

    def command(self, *words: str, code: int = 0) -> str:
        """A command in the project's folder; what it printed."""
        done = run(self.folder, *words, env={"DATABASE_URL": self.url}, fails=code != 0)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def exported(self, schema: SiteSchema) -> str:
        fields, entities = raw_schema(schema)
        path = self.folder.parent / "site.json"
        path.write_text(json.dumps({"schema_read": fields, "schema_entity_read": entities}))
        return str(path)

    def monday(self, schema: SiteSchema, *, revises: int = 3) -> str:
        """The revision, if there is one to write, and the review of what is pending; the upgrade there and back."""
        self.number += 1
        name = f"week{self.number}"
        source = ("--from", self.exported(schema), "--accept-retirements")
        self.command("sg-migrate", "revision", "--rev-id", name, "-m", name, *source, code=revises)
        if not revises:
            assert not list((self.folder / "migrations" / "versions").glob(f"{name}*"))
        shown = self.command("sg-migrate", "review", "--fail-on", "destructive", code=4 if revises == 4 else 0)
        self.command("alembic", "upgrade", "head")
        shown = re.sub(r"[\d.]+ (bytes|[kMG]B)", "… kB", shown)
        return shown.replace(date.today().isoformat(), "TODAY")

    def there_and_back(self) -> None:
        self.command("alembic", "downgrade", "-1")
        self.command("alembic", "upgrade", "head")

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with raw_connection(self.url) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement).all()]


def with_fields(schema: SiteSchema, entity_type: str, **fields: str) -> SiteSchema:
    """The site with other fields in one entity type; an empty text takes one away."""
    old = schema.entity_types[entity_type]
    new = site({entity_type: {code: kind for code, kind in fields.items() if kind}}).entity_types[entity_type]
    kept = {code: field for code, field in old.fields.items() if code not in fields}
    added = {code: new.fields[code] for code, kind in fields.items() if kind}
    return replace(schema, entity_types={**schema.entity_types, entity_type: replace(old, fields={**kept, **added})})


@pytest.mark.parametrize(
    "engine",
    ["postgresql", *(pytest.param(name, marks=pytest.mark.long) for name in ("sqlite", "mariadb"))],
)
def test_eight_weeks(engine: str, databases: Databases, tmp_path: Path) -> None:
    week = Week(tmp_path / "warehouse", databases.new(engine))
    said: dict[str, str] = {}
    week.folder.parent.mkdir(exist_ok=True)
    run(tmp_path, "sg-migrate", "init", "warehouse", "--from", week.exported(FIRST))

    said["1 the first tables"] = week.monday(FIRST)
    shots = "INSERT INTO shot (id, code, sg_cut_in, sg_old) VALUES"
    execute(week.url, f"{shots} (1, 'a', '1001', 'x'), (2, 'b', 'TBD', 'y')")
    execute(week.url, "INSERT INTO version (id, code) VALUES (10, 'v1'), (11, 'v2')")
    links = "INSERT INTO shot__sg_plates (owner_id, linked_type, linked_id) VALUES"
    execute(week.url, f"{links} (1, 'Version', 10), (1, 'Version', 11), (2, 'Version', 10)")
    execute(week.url, "INSERT INTO custom_entity07 (id, code, sg_vendor) VALUES (5, 'crate 1', 'Acme')")

    now = with_fields(FIRST, "Shot", sg_turnover="date Turnover Date", sg_refs="multi_entity:Version References")
    said["2 new fields"] = week.monday(now)
    week.there_and_back()

    now = called(changed(now, "CustomEntity07.code", name="Camera Report Name"), "CustomEntity07", "Camera Report")
    said["3 another meaning"] = week.monday(now)
    assert week.rows("SELECT id, code FROM custom_entity07") == [(5, "crate 1")]

    week.command("sg-migrate", "set-aside", "CustomEntity07")
    said["4 the old values set aside"] = week.monday(now)
    assert week.rows("SELECT id, code, code__was_text FROM custom_entity07") == [(5, None, "crate 1")]
    week.there_and_back()
    assert week.rows("SELECT id, sg_vendor__was_text FROM custom_entity07") == [(5, "Acme")]

    now = with_fields(now, "Shot", sg_cut_in="number Cut In", sg_plates="entity:Version Plate")
    said["5 other types"] = week.monday(now)
    week.there_and_back()
    assert week.rows("SELECT id, sg_cut_in, sg_plates_id FROM shot ORDER BY id") == [(1, 1001, None), (2, None, 10)]

    now = with_fields(now, "Shot", sg_old="", sg_temp="")
    source = week.exported(now)
    week.command("sg-migrate", "snapshot", "--from", source, "--accept-retirements")
    week.command("sg-migrate", "prune", "Shot.sg_temp")
    said["6 retired, and retired and pruned"] = week.monday(now, revises=4)
    assert week.rows("SELECT id, sg_old FROM shot ORDER BY id") == [(1, "x"), (2, "y")]

    said["7 a quiet Monday"] = week.monday(now, revises=0)
    assert said["7 a quiet Monday"] == ""

    now = with_fields(now, "Shot", sg_cut_in="text Cut In")
    said["8 the first type again"] = week.monday(now)
    assert week.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == [(1, "1001"), (2, None)]
    (statement,) = (line.strip() for line in said["8 the first type again"].splitlines() if "UPDATE shot" in line)
    execute(week.url, statement)
    assert week.rows("SELECT id, sg_cut_in FROM shot ORDER BY id") == [(1, "1001"), (2, "TBD")]
    assert json.loads(week.command("sg-migrate", "check", "--format", "json"))["exit_code"] == 0
    if engine == "postgresql":
        for name, text in said.items():
            assert_golden(WEEKS / f"{name}.txt", text)
