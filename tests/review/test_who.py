"""Who changed the site: from its event log to diff, review, pull request and dictionary, and into no revision."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from in_process import run_here
from markdowncheck import tables
from producers import LOG, Producers
from reviewed import Reviewed
from sites import site
from testsite import LocalSite

from sg_migrate.errors import EventsFileError
from sg_migrate.site.events import read_events

HOSTILE = '<img src=x onerror=alert(1)> [x](http://evil.example) `${7*7}` "quoted"'
STUDIO = site(Shot={"code": "text", "sg_old": "text Old"}, EventLogEntry=LOG)


class Monday:
    """A studio that follows a site whose producers are known by name."""

    def __init__(self, folder: Path, local: LocalSite) -> None:
        self.local = local
        self.people = Producers(local)
        self.studio = Reviewed.make(folder, STUDIO)

    def run(self, *command: str, live: bool = True) -> Result:
        result = self.studio.inside(*command, env=self.local.environment if live else None)
        assert result.exit_code in (0, 3, 4), result.output
        return result

    def page(self, format_: str) -> str:
        """The dictionary."""
        path = self.studio.folder / "dictionary"
        self.run("dictionary", str(path), "--format", format_, live=False)
        return path.read_text()

    @property
    def events(self) -> str:
        path = self.studio.folder / "migrations" / "site_events.jsonl"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def monday(tmp_path: Path) -> Iterator[Monday]:
    with LocalSite(STUDIO) as local:
        made = Monday(tmp_path, local)
        made.run("snapshot", "--rebind")
        yield made


def test_the_week_is_told_with_who_did_it(monday: Monday) -> None:
    people, first = monday.people, monday.events
    people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    people.add("script:robot", "Shot", "sg_auto", "number Auto")
    live = monday.run("diff").stdout
    assert '+ sg_cut_in "Cut In": new field (text)  (by Jane Doe, 2026-11-01)' in live
    assert monday.events == first, "a diff writes nothing"
    dry = monday.run("revision", "--dry-run", "--details").stdout
    assert '+ sg_cut_in  text  "Cut In"; by Jane Doe, 2026-11-01' in dry
    assert monday.events == first
    written = monday.run("revision", "--rev-id", "r2", "--details")
    assert '+ sg_auto  number  "Auto"; by script robot, 2026-11-01' in written.stdout
    assert monday.events.count('"line":"event"') == 2
    assert monday.events.count('"line":"reading"') == 2

    shown = monday.run("review", "r2", "--format", "markdown", live=False).stdout
    (table,) = [one for one in tables(shown) if "Who" in one[0]]
    assert {row[table[0].index("Field")]: row[table[0].index("Who")] for row in table[1:]} == {
        "+ sg_auto Auto": "by script robot, 2026-11-01",
        "+ sg_cut_in Cut In": "by Jane Doe, 2026-11-01",
    }
    change = json.loads(monday.run("review", "r2", "--format", "json", live=False).stdout)["revisions"][0]["changes"][0]
    assert change["who"]["events"][0]["by"] == "robot"
    assert change["who"]["events"][0]["script"] is True
    assert "by Jane Doe, 2026-11-01" in monday.run("review", "r2", "--format", "html", live=False).stdout
    for path in monday.studio.versions.glob("*.py"):
        assert "Jane" not in path.read_text()
        assert "robot" not in path.read_text()


def test_a_snapshot_appends_and_tells(monday: Monday) -> None:
    monday.people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    assert 'Shot.sg_cut_in "Cut In": new field (text)  (by Jane Doe, 2026-11-01)' in monday.run("snapshot").stdout
    first = monday.events
    assert monday.run("snapshot").stdout == ""
    assert monday.events == first, "a Monday on which nothing changed writes nothing"
    assert "by Jane Doe" in monday.run("revision", live=False).stdout, "the file outlives the log"


def test_alembic_itself_appends_where_the_source_is_live(monday: Monday) -> None:
    monday.people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    (monday.studio.folder / "warehouse.db").unlink(missing_ok=True)
    ini = monday.studio.folder / "alembic.ini"
    arguments = ("-c", str(ini), "-x", "sg_source=live", "revision", "--autogenerate", "-m", "live", "--rev-id", "r2")
    run_here(monday.studio.folder, "alembic", "-c", str(ini), "upgrade", "head")
    run_here(monday.studio.folder, "alembic", *arguments, env=monday.local.environment)
    assert '"by":"Jane Doe"' in monday.events
    assert "by Jane Doe, 2026-11-01" in monday.run("review", "r2", live=False).stdout


def test_why_nobody_is_named(monday: Monday) -> None:
    fields, entities = monday.local.schema
    del fields["Shot"]["sg_old"]
    monday.local.schema = {"schema_read": fields, "schema_entity_read": entities}
    said = monday.run("revision").stdout
    assert "Who made 1 change is not known: no event fits; scripts may write none." in said
    monday.local.hidden = {"EventLogEntry"}
    fields["Shot"]["sg_old"] = monday.local.schema[0]["Shot"]["code"]
    monday.local.schema = {"schema_read": fields, "schema_entity_read": entities}
    denied = monday.run("revision")
    assert "note: these credentials may not read the event log" in denied.stderr
    assert '"refused":true' in monday.events


def test_people_false_leaves_names_out(monday: Monday) -> None:
    monday.people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    named = monday.run("diff", "-x", "sg_people=false").stdout
    assert "(2026-11-01)" in named
    assert "Jane" not in named
    monday.run("snapshot", "-x", "sg_people=false")
    assert "Jane" not in monday.events
    monday.people.add("Jane Doe", "Shot", "sg_cut_out", "text Cut Out")
    monday.run("revision")
    assert "Jane" in monday.events
    for format_ in ("text", "markdown", "json", "html"):
        assert "Jane" not in monday.run("review", "-x", "sg_people=false", "--format", format_, live=False).stdout


def test_hostile_names_are_text(monday: Monday) -> None:
    monday.people.add(HOSTILE, "Shot", "sg_cut_in", "text Cut In")
    monday.run("revision", "--rev-id", "r2")
    assert "<img" not in monday.run("review", "r2", "--format", "html", live=False).stdout
    shown = monday.run("review", "r2", "--format", "markdown", live=False).stdout
    (table,) = [one for one in tables(shown) if "Who" in one[0]]
    assert table[1][table[0].index("Who")].replace("<!-- -->", "") == f"by {HOSTILE}, 2026-11-01"
    page = monday.page("html")
    assert "<img" not in page
    assert "by &lt;img" in page


def test_the_dictionary_says_who_made_a_field(monday: Monday) -> None:
    people = monday.people
    people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    people.wait(1)
    people.rename("Bob", "Shot", "sg_cut_in", "First Frame")
    monday.run("revision", "--rev-id", "r2")
    found = json.loads(monday.page("json"))
    (field,) = [one for one in found["entities"]["Shot"]["fields"] if one["code"] == "sg_cut_in"]
    assert field["changed"] == [
        'by Bob, 2026-11-02: display name "Cut In" -> "First Frame"',
        "by Jane Doe, 2026-11-01: made",
    ]
    assert found["timeline"][0]["by"] == ["by Jane Doe, 2026-11-01 (1 change)"]
    assert 'display name "Cut In" -> "First Frame"' in monday.page("markdown")


def test_an_archive_names_who_was_forgotten(monday: Monday) -> None:
    monday.people.add("Jane Doe", "Shot", "sg_cut_in", "text Cut In")
    monday.people.forget(monday.people.now.replace(year=2027))
    monday.run("revision", "--rev-id", "r2")
    archive = monday.studio.folder / "log.csv"
    meta = json.dumps({"entity_type": "DisplayColumn", "entity_id": 4001}).replace('"', '""')
    row = f'5,Shotgun_DisplayColumn_New,2026-11-01 10:00:00 UTC,Jane Doe,Cut In,"{meta}"'
    archive.write_text(f"Id,Event Type,Date Created,User,Link,Meta\n{row}\n")
    taken = monday.run("events", "import", str(archive), live=False)
    assert taken.stdout == "1 row, 1 event about fields, 1 new\n"
    assert "by Jane Doe, 2026-11-01" in monday.run("review", "r2", "--details", live=False).stdout
    again = monday.run("events", "import", str(archive), live=False)
    assert again.stdout == "1 row, 1 event about fields, 0 new\n"
    assert "unchanged" in again.stderr


def test_a_spoiled_file_of_events_is_one_message(monday: Monday) -> None:
    path = monday.studio.folder / "migrations" / "site_events.jsonl"
    path.write_text("<<<<<<< HEAD\n")
    refused = monday.studio.inside("snapshot", env=monday.local.environment).exception
    assert isinstance(refused, EventsFileError)
    assert "site_events.jsonl: line 1: not a line of the site's events." in str(refused)
    assert path.read_text() == "<<<<<<< HEAD\n"


def test_git_takes_both_sides_by_itself(monday: Monday) -> None:
    """Two Mondays on two branches: merged without a conflict, and nothing is lost or there twice."""
    folder, people = monday.studio.folder, monday.people

    def git(*arguments: str) -> str:
        own = ("-c", "user.name=x", "-c", "user.email=x@example.invalid", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *own, *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    for branch, code in (("ours", "aa_first"), ("theirs", "zz_last")):
        git("switch", "-q", "-c", branch, "main")
        people.add(f"Jane {branch}", "Shot", code, "text")
        monday.run("snapshot")
        git("commit", "-qam", branch)
    git("switch", "-q", "ours")
    git("merge", "-q", "-m", "both", "theirs")
    found = read_events(folder / "migrations" / "site_events.jsonl")
    assert [event.by for event in found.events] == ["Jane ours", "Jane theirs"]
    assert monday.run("snapshot").stderr.endswith("unchanged (read: live site)\n")
