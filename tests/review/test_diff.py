"""``sg-migrate diff``: any two of snapshots, files, the live site, the database and git."""

from __future__ import annotations

import json
import subprocess

import pytest
from click.testing import Result
from markdowncheck import tables
from reviewed import Reviewed, small_site
from sites import SAMPLES, changed
from testsite import LocalSite

from sg_migrate.comparison.difference import difference
from sg_migrate.site.sources import load_schema

pytest_plugins = ["reviewfixtures"]


def run(made: Reviewed, *arguments: str, **environment: str) -> Result:
    return made.inside("diff", *arguments, env=environment)


def test_it_reads_like_git_diff_in_a_producers_words(small: Reviewed) -> None:
    site = changed(small_site(sg_cut_in="number", sg_frames="", sg_new="date"), "Shot.code", name="Shot Name")
    result = run(small, "snapshot", small.written(site))
    assert result.stdout == (
        "--- migrations/site_schema.json\n"
        "+++ other.json\n"
        "@@ Shot @@\n"
        '~ code "Shot Name": display name "Code" -> "Shot Name"\n'
        '~ sg_cut_in "Cut In": data type text -> number\n'
        '- sg_frames "Frames": retired: no longer on the site, kept in the warehouse\n'
        '+ sg_new "New": new field (date)\n'
    )
    assert result.exit_code == 3


@pytest.mark.parametrize(
    ("types", "code"),
    [({}, 0), ({"sg_new": "date"}, 3), ({"sg_frames": "text"}, 3), ({"sg_cut_in": "number"}, 3), ({"code": ""}, 3)],
)
def test_the_exit_code_says_how_much_differs(small: Reviewed, types: dict[str, str], code: int) -> None:
    result = run(small, "snapshot", small.written(small_site(**types)))
    assert result.exit_code == code
    assert bool(result.stdout) == bool(code)


def test_one_file_is_compared_with_the_snapshot(small: Reviewed) -> None:
    result = run(small, small.written(small_site(sg_new="date")))
    assert result.stdout.splitlines()[-1] == '- sg_new "New": no longer there'


def test_the_live_site_is_compared_with_the_snapshot(small: Reviewed) -> None:
    with LocalSite(small_site(sg_new="date")) as site:
        for arguments in ([], ["live"], ["snapshot", "live"]):
            result = run(small, *arguments, **site.environment)
            assert result.exit_code == 3
            assert result.stdout.splitlines()[1:] == [
                "+++ live (127.0.0.1)",
                "@@ Shot @@",
                '+ sg_new "New": new field (date)',
                "Who made 1 change is not known: the event log could not be read.",
            ]


def test_the_database_is_compared_by_what_its_revisions_built(small: Reviewed) -> None:
    small.upgrade()
    small.follow(small_site(sg_new="date", sg_cut_in=""), "r2")
    result = run(small, "db", "snapshot")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "--- db (r1)",
        "+++ migrations/site_schema.json",
        "@@ Shot @@",
        '- sg_cut_in "Cut In": retired: no longer on the site, kept in the warehouse',
        '+ sg_new "New": new field (date)',
    ]
    small.upgrade()
    assert run(small, "db", "snapshot").exit_code == 0
    assert run(small, "db", "built").exit_code == 0


def test_a_database_that_is_not_there_is_one_message_and_is_not_created(small: Reviewed) -> None:
    result = run(small, "db")
    assert result.exit_code == 1
    assert not small.database.exists()


def test_a_git_revision_is_compared_without_checking_it_out(small: Reviewed) -> None:
    git = ["git", "-C", str(small.folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    small.take(small_site(sg_new="date"))
    result = run(small, "HEAD:migrations/site_schema.json")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == '+ sg_new "New": new field (date)'
    missing = run(small, "HEAD:nothing.json")
    assert missing.exit_code == 1


def test_two_files_need_no_project(small: Reviewed) -> None:
    first, second = small.written(small_site(), "a.json"), small.written(small_site(sg_new="date"), "b.json")
    assert run(small, first, second, "--config", "nowhere.ini").exit_code == 3


def test_json_is_versioned_and_complete(small: Reviewed) -> None:
    shown = json.loads(run(small, "snapshot", small.written(small_site(sg_cut_in="number")), "--format", "json").stdout)
    assert (shown["format"], shown["version"], shown["level"]) == ("sg-migrate diff", 1, "visible")
    assert shown["changes"] == [
        {
            "entity_type": "Shot",
            "field": "sg_cut_in",
            "display_name": "Cut In",
            "kind": "data_type",
            "old": "text",
            "new": "number",
            "added": [],
            "removed": [],
            "text": 'Shot.sg_cut_in "Cut In": data type text -> number',
            "who": None,
        }
    ]


@pytest.mark.parametrize("step", range(5))
def test_the_samples_render_in_every_format(small: Reviewed, step: int) -> None:
    old, new = str(SAMPLES[step]), str(SAMPLES[step + 1])
    shown = run(small, old, new, "--format", "markdown").stdout
    assert len(shown) < 65_536
    assert len(tables(shown)) == 1
    found = difference(load_schema(old).schema, load_schema(new).schema, "a", "b")
    assert len(tables(shown)[0]) == 1 + min(len(found.changes), 200)
    assert run(small, old, new, "--format", "html").stdout.startswith("<!DOCTYPE html>")
    text = run(small, old, new).stdout
    assert not any(character in text for character in "\x1b\u202e\x00")
    assert run(small, old, old).exit_code == 0
