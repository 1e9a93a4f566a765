"""The snapshot file: canonical, strict, one line for one thing, and a friend of git."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siteexamples import SMALL, ledgers, site_schemas, texts, turned
from sites import REAL, field, site_of
from testsite import raw_schema

from sg_migrate.errors import SnapshotConflictError, SnapshotError, SnapshotVersionError, SourceError
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge, read_snapshot, write_snapshot
from sg_migrate.site.sources import load_schema, parse

DAY = date(2026, 3, 1)

SMALL_TEXT = """\
{
"format": "sg_migrate snapshot 1",
"host": null,
"Asset": {"name": "Asset"},
"Asset.code": {"type": "text", "name": "Asset Name", "mandatory": true, "unique": true},
"Asset.sg_hero": {"type": "checkbox", "name": "Hero", "default": false, "visible": false},
"Shot": {"name": "Shot \U0001f3ac"},
"Shot.assets": {"type": "multi_entity", "name": "Assets", "valid_types": ["Asset", "Banner"]},
"Shot.code": {"type": "text", "name": "Shot Code", "description": "How the shot is called\\n— by everybody", \
"editable": false},
"Shot.sg_length": {"type": "calculated", "properties": {"calculated_function": "{a} - {b}", "renderer": "number"}},
"Shot.sg_status_list": {"type": "status_list", "name": "Status", "valid_values": ["wtg", "ip", "fin"], \
"default": "wtg"},
"end": null
}
"""


def ledger(*entries: str, host: str = "null") -> str:
    """A snapshot file of these lines."""
    lines = ['"format": "sg_migrate snapshot 1"', f'"host": {host}', *entries]
    return "{\n" + ",\n".join(lines) + ',\n"end": null\n}\n'


def test_the_whole_file(tmp_path: Path) -> None:
    assert write_snapshot(tmp_path / "s.json", Snapshot(SMALL))
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == SMALL_TEXT
    assert read_snapshot(tmp_path / "s.json").schema == SMALL


def test_states_are_written_and_read(tmp_path: Path) -> None:
    text = ledger(
        '"Shot": {"name": "Shot", "state": "retired", "since": "2026-01-31"}',
        '"Shot.code": {"type": "text", "state": "dropped", "since": "2025-12-01"}',
        host='"studio.shotgrid.autodesk.com"',
    )
    (tmp_path / "s.json").write_text(text)
    snapshot = read_snapshot(tmp_path / "s.json")
    assert snapshot.schema.host == "studio.shotgrid.autodesk.com"
    assert snapshot.schema.entity_types["Shot"].state == "retired"
    assert snapshot.schema.entity_types["Shot"].fields["code"].since == "2025-12-01"
    assert snapshot.active().entity_types == {}
    assert snapshot.text() == text


@given(ledgers())
def test_reading_back_gives_the_same_ledger_and_the_same_bytes(schema: SiteSchema) -> None:
    text = Snapshot(schema).text()
    loaded = parse(text, "text")
    assert loaded.ledger == schema
    assert Snapshot(loaded.ledger).text() == text
    assert loaded.schema == Snapshot(schema).active()


@given(site_schemas())
def test_every_entry_is_one_visible_line(schema: SiteSchema) -> None:
    text = Snapshot(schema).text()
    entries = sum(1 + len(entity_type.fields) for entity_type in schema.entity_types.values())
    assert len(text.split("\n")) == len(text.splitlines()) + 1 == entries + 6
    hidden = {"\u202e", "\u2028", "\u0085", "\ufeff", "\x7f", "\U000e0041", "\x1b", "\x00"}
    assert not hidden & set(text)


@given(site_schemas())
def test_a_site_read_raw_and_its_snapshot_agree(schema: SiteSchema) -> None:
    fields, entities = raw_schema(schema)
    both = json.dumps({"schema_read": fields, "schema_entity_read": entities})
    assert parse(both, "raw").schema == schema
    assert merge(None, schema, today=DAY).schema == schema


@pytest.mark.skipif(not REAL, reason="the real schemas are not on this machine")
def test_the_largest_real_state_stays_small_and_exact(tmp_path: Path) -> None:
    schema = load_schema(REAL[-1]).schema
    assert sum(1 for _ in schema.fields()) == 1667
    path = tmp_path / "site_schema.json"
    write_snapshot(path, merge(None, schema, today=DAY))
    assert path.stat().st_size < 450_000
    assert read_snapshot(path).schema == schema
    assert len(path.read_text().splitlines()) == 1667 + 105 + 5


def test_a_lone_surrogate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    with pytest.raises(SnapshotError) as caught:
        write_snapshot(path, Snapshot(site_of(field("Shot.code", name="\ud83c"))))
    assert str(caught.value) == f"{path}: Shot.code: holds half a character (a lone surrogate)."
    assert not path.exists()


def test_rewritten_only_when_the_content_changes(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    assert write_snapshot(path, Snapshot(SMALL))
    before = path.stat()
    assert not write_snapshot(path, Snapshot(SMALL))
    assert path.stat().st_ino == before.st_ino
    assert write_snapshot(path, Snapshot(replace(SMALL, host="studio.shotgrid.autodesk.com")))
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_links_and_leftovers(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    write_snapshot(real, Snapshot(SMALL))
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666 & ~mask
    real.chmod(0o640)
    link.symlink_to(real)
    stale, fresh = tmp_path / ".real.json.1.tmp", tmp_path / ".real.json.2.tmp"
    for leftover in (stale, fresh):
        leftover.touch()
    os.utime(stale, (0, 0))
    assert write_snapshot(link, Snapshot(site_of(field("Shot.code"))))
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == sorted([real, link, fresh])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none" / "s.json"
    with pytest.raises(SnapshotError) as caught:
        write_snapshot(path, Snapshot(SMALL))
    assert str(caught.value) == f"{path}: cannot be written (No such file or directory); it is as it was."
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path)
    assert str(caught.value) == f"{path}: there is no snapshot yet. Make one with `sg-migrate snapshot`."
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read (Is a directory)."


SHOT = '"Shot": {"name": "Shot"}'
BAD_FILES = {
    ledger('"Shot.code": {"type": "text"}'): "Shot.code: a field without its entity type: the line of Shot is missing.",
    ledger(SHOT, '"Shot.code": {"type": "text", "colour": 1}'): "Shot.code: unknown attribute 'colour'.",
    ledger('"Shot": {"title": "Shot"}'): "Shot: unknown attribute 'title'.",
    ledger(SHOT, '"Shot.code": {}'): "Shot.code: no type.",
    ledger(SHOT, '"Shot.code": {"type": 3}'): "Shot.code: type is a number, not a text.",
    ledger(SHOT, '"Shot.code": {"type": "a b"}'): "Shot.code: type a b: not a usable data type: letters, digits and _ "
    "only, beginning with a letter.",
    ledger(SHOT, '"Shot.code": {"type": "text", "unique": 1}'): "Shot.code: unique is a number, not true or false.",
    ledger(SHOT, '"Shot.code": {"type": "text", "valid_types": [1]}'): "Shot.code: valid_types is a list, not a list "
    "of texts.",
    ledger(SHOT, '"Shot.code": {"type": "text", "properties": {"x": 1}}'): "Shot.code: unknown property 'x'.",
    ledger(
        '"Shot": {"state": "gone", "since": "2026-01-01"}'
    ): "Shot: unknown state 'gone'; known are active, retired, dropped.",
    ledger('"Shot": {"state": "retired"}'): "Shot: `since` belongs to retired and dropped entries, and to all of them.",
    ledger('"Shot": {"since": "2026-01-01"}'): "Shot: `since` belongs to retired and dropped entries, and to all of "
    "them.",
    ledger(
        '"Shot": {"state": "retired", "since": "2026-02-30"}'
    ): "Shot: since '2026-02-30' is not a date (YYYY-MM-DD).",
    ledger('"Shot": {"state": "retired", "since": "20260201"}'): "Shot: since '20260201' is not a date (YYYY-MM-DD).",
    ledger('"Shot": 3'): "Shot: expected an entity type or a field, found a number.",
    ledger('"Sh ot": {}'): "Sh ot: not a usable entity type: letters, digits and _ only, beginning with a letter.",
    ledger(SHOT, '"Shot.a.b": {"type": "text"}'): "Shot.a.b: not a usable field: letters, digits and _ only, beginning "
    "with a letter.",
    ledger(SHOT, host="3"): "host: is a number, not a text.",
    ledger(SHOT).replace('"end": null', '"end": 1'): "end: must be null.",
    ledger(SHOT).replace('"host": null,\n', ""): "the line 'host' is missing. Restore it from git.",
    ledger(SHOT).replace(',\n"end": null', ""): "the line 'end' is missing. Restore it from git.",
    ledger(SHOT, '"Shot.a": {"type": "text", "type": "number"}'): "the key 'type' occurs twice in one object. "
    "Keep one of them.",
    ledger(SHOT)[:-9]: "line 5, column 6: the JSON ends too early; the file is truncated. Write it again.",
    '{"Shot": {"code": {}}}': "not a snapshot of sg_migrate. Move it away, and make one with `sg-migrate snapshot`.",
    "": "empty. Write the schema again.",
}


@pytest.mark.parametrize("text", BAD_FILES, ids=lambda text: BAD_FILES[text][:40])
def test_a_file_that_we_did_not_write_is_an_error_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    for read in (read_snapshot, load_schema) if "sg_migrate snapshot" in text else (read_snapshot,):
        with pytest.raises(SourceError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {BAD_FILES[text]}"
    assert path.read_text() == text


@pytest.mark.parametrize("version", ["2", "10", "1.1", ""])
def test_another_format_version_is_a_clear_error(tmp_path: Path, version: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(ledger(SHOT).replace("snapshot 1", f"snapshot {version}"))
    for read in (read_snapshot, load_schema):
        with pytest.raises(SnapshotVersionError) as caught:
            read(path)
        words = f"sg_migrate snapshot {version}".strip()
        assert str(caught.value) == f"{path}: format '{words}'; this sg_migrate knows 1. Update sg_migrate."


# --- git -----------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    names = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def two_branches(folder: Path, base: SiteSchema, ours: SiteSchema, theirs: SiteSchema) -> bool:
    """Commit ``base``, then each side on its branch, and merge theirs into ours; whether git managed by itself."""
    path = folder / "site_schema.json"
    git(folder, "init", "-q", "-b", "ours")

    def commit(schema: SiteSchema) -> None:
        write_snapshot(path, merge(read_snapshot(path) if path.exists() else None, schema, today=DAY))
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "snapshot")

    commit(base)
    git(folder, "checkout", "-qb", "theirs")
    commit(theirs)
    git(folder, "checkout", "-q", "ours")
    commit(ours)
    return git(folder, "merge", "-q", "theirs").returncode == 0


BASE = site_of(*(field(f"Shot.f{number:02}") for number in range(0, 40, 4)), field("Task.content"))


def test_changes_that_are_apart_merge_by_themselves(tmp_path: Path) -> None:
    ours = site_of(*BASE.fields(), field("Shot.f01", "number"))
    theirs = site_of(*BASE.fields(), field("Task.sg_note"), field("Shot.f33"))
    assert two_branches(tmp_path, BASE, ours, theirs)
    expected = site_of(*BASE.fields(), field("Shot.f01", "number"), field("Shot.f33"), field("Task.sg_note"))
    assert read_snapshot(tmp_path / "site_schema.json").schema == expected


def take_both_sides(text: str) -> str:
    markers = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(markers))


def test_a_conflict_is_named_and_taking_both_sides_mends_it(tmp_path: Path) -> None:
    ours = site_of(*BASE.fields(), field("Task.sg_a"), field("Zone.code"))
    theirs = site_of(*BASE.fields(), field("Task.sg_b", "number"))
    assert not two_branches(tmp_path, BASE, ours, theirs)
    path = tmp_path / "site_schema.json"
    text = path.read_text()
    first = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("<<<<<<<"))
    with pytest.raises(SnapshotConflictError) as caught:
        read_snapshot(path)
    assert caught.value.line == first
    assert str(caught.value) == (
        f"{path}: line {first}: a merge conflict is left in the file. "
        "Take both sides (delete only the marker lines), then run `sg-migrate snapshot` again."
    )
    assert path.read_text() == text
    path.write_text(take_both_sides(text))
    expected = site_of(*BASE.fields(), field("Task.sg_a"), field("Task.sg_b", "number"), field("Zone.code"))
    assert read_snapshot(path).schema == expected


def test_when_both_sides_changed_one_field_the_last_line_counts_and_the_site_decides(tmp_path: Path) -> None:
    ours = site_of(*list(BASE.fields())[1:], field("Shot.f00", "number"))
    theirs = site_of(*list(BASE.fields())[1:], field("Shot.f00", "date"))
    assert not two_branches(tmp_path, BASE, ours, theirs)
    path = tmp_path / "site_schema.json"
    path.write_text(take_both_sides(path.read_text()))
    mended = read_snapshot(path)
    assert mended.schema.entity_types["Shot"].fields["f00"].data_type == "date"
    assert merge(mended, ours, today=DAY).schema == merge(None, ours, today=DAY).schema


@settings(max_examples=15, deadline=None)
@given(base=site_schemas(), ours=site_schemas(), theirs=site_schemas())
def test_both_sides_of_any_conflict_are_a_readable_snapshot(
    tmp_path_factory: pytest.TempPathFactory, base: SiteSchema, ours: SiteSchema, theirs: SiteSchema
) -> None:
    folder = tmp_path_factory.mktemp("git")

    def accepted(schema: SiteSchema) -> Snapshot:
        return merge(Snapshot(base), schema, today=DAY, accept_retirements=True)

    sides = {"base": Snapshot(base), "ours": accepted(ours), "theirs": accepted(theirs)}
    for name, snapshot in sides.items():
        write_snapshot(folder / name, snapshot)
    merged = git(folder, "merge-file", "-p", "ours", "base", "theirs").stdout
    mended = parse(take_both_sides(merged), "mended").ledger
    assert mended is not None
    known = {*map(str, base.fields()), *map(str, ours.fields()), *map(str, theirs.fields())}
    assert {str(one) for one in mended.fields()} == known


# --- digest --------------------------------------------------------------------------------------------------------


def changed(**attributes: Any) -> Snapshot:
    """SMALL with one field changed."""
    shot = SMALL.entity_types["Shot"]
    code = replace(shot.fields["sg_length"], **attributes)
    fields = {**shot.fields, "sg_length": code}
    return Snapshot(replace(SMALL, entity_types={**SMALL.entity_types, "Shot": replace(shot, fields=fields)}))


@pytest.mark.parametrize(
    ("attributes", "counts", "structure"),
    [
        ({"data_type": "number"}, True, True),
        ({"state": "retired", "since": "2026-01-01"}, True, True),
        ({"properties": (("calculated_function", '"{a} - {b}"'), ("renderer", '"text"'))}, True, True),
        ({"name": "Length"}, True, False),
        ({"description": "How long"}, True, False),
        ({"properties": (("calculated_function", '"{b}"'), ("renderer", '"number"'))}, False, False),
        ({"valid_values": ("a",)}, False, False),
        ({"valid_types": ("Shot",)}, False, False),
        ({"default": 3}, False, False),
        ({"mandatory": True, "unique": True, "editable": False, "visible": False}, False, False),
    ],
)
def test_the_digest_covers_what_shapes_the_model(attributes: dict[str, Any], counts: bool, structure: bool) -> None:
    other = changed(**attributes)
    assert (other.digest() != Snapshot(SMALL).digest()) is counts
    assert (other.digest("structure") != Snapshot(SMALL).digest("structure")) is structure


def test_the_digest_never_covers_dates_host_or_order() -> None:
    retired = changed(state="retired", since="2026-01-01")
    assert retired.digest() == changed(state="retired", since="2025-01-01").digest()
    assert Snapshot(SMALL).digest() == Snapshot(replace(SMALL, host="elsewhere.example.com")).digest()
    assert Snapshot(turned(SMALL)).digest() == Snapshot(SMALL).digest()
    assert re.fullmatch("[0-9a-f]{32}", Snapshot(SMALL).digest())


def test_valid_types_count_where_foreign_keys_are_built() -> None:
    other = changed(valid_types=("Shot",))
    assert other.digest(foreign_keys=True) != Snapshot(SMALL).digest(foreign_keys=True)


@given(texts, texts)
def test_texts_cannot_run_into_each_other(one: str, two: str) -> None:
    first = Snapshot(site_of(field("Shot.code", name=one, description=two)))
    second = Snapshot(site_of(field("Shot.code", name=two, description=one)))
    assert (first.digest() == second.digest()) is (one == two)


@given(st.integers(0, 5))
def test_a_snapshot_is_the_same_after_reading(number: int) -> None:
    schema = site_of(*list(SMALL.fields())[: number + 1])
    loaded = parse(Snapshot(schema).text(), "text").ledger
    assert loaded is not None
    assert Snapshot(loaded).digest() == Snapshot(schema).digest()
