"""``redact``: the field is there, its texts are nowhere but in the snapshot."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from producers import LOG, Producers
from sites import site
from studio import Studio, working_directory
from testsite import LocalSite, raw_schema

from sg_migrate import EntityType, Field, Settings, SiteSchema, build_metadata
from sg_migrate.cli import cli

REDACT = "HumanUser.sg_* Project.billing_* CustomEntity07"
PLAIN = {
    "HumanUser": {"name": "text", "sg_salary": "list", "sg_note": "text", "sg_boss": "entity:HumanUser",
                  "sg_team": "multi_entity:HumanUser"},
    "Project": {"name": "text", "billing_rate": "currency", "sg_colour": "list"},
    "CustomEntity07": {"code": "text", "sg_kind": "list"},
    "Shot": {"code": "text", "sg_status_list": "status_list", "sg_cut_in": "number"},
}  # fmt: skip


def marked(schema: SiteSchema, week: int) -> SiteSchema:
    """Every text of a site is a word of its own, which says of whom it is: ``QHumanUserQsg_note1``."""
    numbers = count(1)

    def word(place: str) -> str:
        return f"Q{place.replace('.', 'Q')}Q{week}x{next(numbers)}"

    def of(field: Field) -> Field:
        place = f"{field.entity_type}.{field.code}"
        values = tuple(word(place) for _ in range(2)) if "list" in field.data_type else ()
        labels = json.dumps({value: word(place) for value in values})
        properties = (("display_values", labels),) if values else ()
        default = word(place) if field.data_type in ("text", "list") else None
        return replace(field, name=word(place), description=word(place), valid_values=values, default=default,
                       properties=properties)  # fmt: skip

    types = {
        code: EntityType(code, word(code), fields={name: of(field) for name, field in one.fields.items()})
        for code, one in schema.entity_types.items()
    }
    return replace(schema, entity_types=types)


def is_secret(word: str) -> bool:
    _, entity_type, *rest = re.split("Q", word)
    field = rest[0] if len(rest) > 1 else ""
    return (
        entity_type == "CustomEntity07"
        or (entity_type == "HumanUser" and field.startswith("sg_"))
        or (entity_type == "Project" and field.startswith("billing_"))
    )


def words(text: str) -> set[str]:
    return set(re.findall(r"Q[A-Za-z0-9]+(?:Q[a-z0-9_]+)?Q\d+x\d+", text.replace("\\_", "_")))


class Told:
    """A project with the setting, and everything that its commands have said and written."""

    def __init__(self, folder: Path, local: LocalSite) -> None:
        self.folder, self.local, self.said = folder, local, ""
        self.studio = Studio(folder, f"sqlite:///{folder / 'warehouse.db'}", redact=REDACT)

    def run(self, *command: str, live: bool = False) -> str:
        with working_directory(self.folder):
            result = CliRunner().invoke(cli, command, env=self.local.environment if live else None)
        assert result.exit_code in (0, 3, 4), (command, result.output, result.exception)
        self.said += result.output
        return result.output

    def written(self, *arguments: str) -> None:
        path = self.folder / "written"
        self.run(arguments[0], str(path), *arguments[1:])
        self.said += path.read_text("utf-8")
        path.unlink()

    def database(self) -> str:
        with sqlite3.connect(self.folder / "warehouse.db") as connection:
            return "\n".join(connection.iterdump())

    def revisions(self) -> str:
        return "".join(path.read_text("utf-8") for path in self.studio.versions.glob("*.py"))


@pytest.fixture
def local() -> Iterator[LocalSite]:
    with LocalSite() as running:
        yield running


def set_site(local: LocalSite, schema: SiteSchema) -> None:
    fields, entities = raw_schema(schema)
    log_fields, log_entities = raw_schema(site(EventLogEntry=LOG))
    local.schema = {
        "schema_read": {**fields, "EventLogEntry": log_fields["EventLogEntry"]},
        "schema_entity_read": {**entities, **log_entities},
    }


def everything(told: Told) -> None:
    """Every command that says something, in every format."""
    for format_ in ("text", "markdown", "json", "html"):
        told.run("review", "base:heads", "--format", format_, "--sql", "--dialect", "postgresql")
        told.run("diff", "live", "--format", format_, live=True)
        told.run("diff", "built", "snapshot", "--format", format_)
    told.run("review", "heads", "--details")
    told.run("check", live=True)
    for format_ in ("html", "markdown", "json", "dbt"):
        told.written("dictionary", "--format", format_)
    for style in ("declarative", "dataclasses", "tables"):
        told.written("models", "--style", style, "--retired")
    told.run("usage", "--all")
    told.run("usage", "--all", "--format", "json")
    told.run("prune", "*.*", "--dry-run")
    told.run("set-aside", "HumanUser.sg_note", "Shot.code", "--dry-run")


def test_no_text_that_is_redacted_gets_out(tmp_path: Path, local: LocalSite) -> None:
    told = Told(tmp_path, local)
    set_site(local, marked(site(PLAIN), 1))
    told.run("snapshot", live=True)
    told.run("revision", "--rev-id", "r1", live=True)
    told.studio.upgrade()
    people = Producers(local)
    people.add("Jane", "HumanUser", "sg_new", "text QHumanUserQsg_newQ9x1")
    people.rename("Jane", "HumanUser", "sg_new", "QHumanUserQsg_newQ9x2")
    fewer = {code: {**fields} for code, fields in PLAIN.items()}
    del fewer["HumanUser"]["sg_boss"], fewer["CustomEntity07"], fewer["Shot"]["sg_cut_in"]
    fewer["HumanUser"] |= {"sg_note": "number", "sg_new": "text"}
    set_site(local, marked(site(fewer), 2))
    told.run("diff", live=True)
    told.run("snapshot", "--dry-run", "--accept-retirements", live=True)
    told.run("revision", "--rev-id", "r2", "--accept-retirements", "--details", live=True)
    told.studio.upgrade()
    set_site(local, marked(site(fewer), 3))
    everything(told)
    seen = words(told.said + told.revisions() + told.database())
    assert [word for word in sorted(seen) if is_secret(word)] == []
    assert {word.rpartition("Q")[0] for word in seen} >= {"QShotQcode", "QProjectQname", "QProject", "QHumanUserQname"}
    assert any(is_secret(word) for word in words(told.studio.snapshot.read_text())), "the snapshot has them"
    assert "sg_salary" in told.revisions()


def test_another_name_of_a_redacted_field_changes_nothing(tmp_path: Path, local: LocalSite) -> None:
    told = Told(tmp_path, local)
    set_site(local, marked(site(PLAIN), 1))
    told.run("revision", "--rev-id", "r1", live=True)
    told.studio.upgrade()
    only = marked(site(PLAIN), 1)
    other = marked(site(PLAIN), 2).entity_types
    types = {**only.entity_types, "CustomEntity07": other["CustomEntity07"]}
    set_site(local, replace(only, entity_types=types))
    assert "Nothing to do" in told.run("revision", live=True)
    assert told.run("diff", "live", live=True) == ""
    told.studio.check()


def test_redacting_later_takes_the_comments_away(tmp_path: Path, local: LocalSite) -> None:
    told = Told(tmp_path, local)
    told.studio.configure(redact="")
    set_site(local, marked(site(PLAIN), 1))
    told.run("revision", "--rev-id", "r1", live=True)
    told.studio.upgrade()
    assert any(is_secret(word) for word in words(told.database()))
    told.studio.configure(redact=REDACT)
    told.said = ""
    told.run("revision", "--rev-id", "r2", "--details")
    told.studio.upgrade()
    for format_ in ("text", "markdown", "json", "html"):
        told.run("review", "r2", "--format", format_)
    assert [word for word in words(told.said) if is_secret(word)] == []
    assert [word for word in words(told.database()) if is_secret(word)] == []
    built = told.studio.built
    assert built["human_user"].columns["sg_note"].comment is None
    assert built["human_user"].columns["name"].comment is not None
    told.studio.downgrade()
    told.studio.upgrade()
    told.studio.check()


def test_the_library_has_no_such_texts_either() -> None:
    metadata = build_metadata(marked(site(PLAIN), 1), Settings(redact=("HumanUser.sg_*",)))
    user = metadata.tables["human_user"]
    assert user.c.sg_note.comment is None
    assert user.c.sg_note.info["shotgrid"].description == ""
    assert user.c.name.comment is not None
    assert metadata.tables["human_user__sg_team"].comment is None
