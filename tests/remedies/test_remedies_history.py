"""Revisions that do not fit, cannot be read, or cannot be written: what the messages say to do, done."""

from __future__ import annotations

import re
from pathlib import Path

import alembic.command
import pytest
from carried import commands_in, contents, do, refused, says, type_in
from engines import Databases
from sites import site
from studio import Studio, undisturbed

from sg_migrate import SiteSchema
from sg_migrate.errors import (
    BrokenRevisionError,
    ContradictionError,
    EnvironmentFileError,
    FoldError,
    LostRevisionError,
    OfflineRebuildError,
    RecordingError,
    RevisionError,
)

FIRST = {"code": "text", "sg_x": "text", "sg_kind": "list"}


def shot(**fields: str) -> SiteSchema:
    return site(Shot={**FIRST, **fields})


@pytest.fixture
def studio(tmp_path: Path, sqlite_url: str) -> Studio:
    """One revision old, with a row."""
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.follow(shot(), "0001")
    studio.upgrade()
    studio.execute("INSERT INTO shot (id, code, sg_x) VALUES (1, 'a', '12')")
    return studio


def branch(studio: Studio, name: str, schema: SiteSchema) -> Path:
    """A revision on top of the first, as if there were no other; its snapshot stays."""
    others = [path for path in studio.versions.glob("*.py") if not path.name.startswith("0001")]
    hidden = [path.rename(path.with_suffix(".hidden")) for path in others]
    made = studio.follow(schema, name)
    for path in hidden:
        path.rename(path.with_suffix(".py"))
    return made


def merged(studio: Studio) -> Path:
    with undisturbed():
        alembic.command.merge(studio.config(), "heads", "both", rev_id="both")
    return next(studio.versions.glob("both*.py"))


def in_step(studio: Studio, value: object = "12") -> None:
    studio.upgrade()
    studio.check()
    assert studio.rows("SELECT id, code, sg_x FROM shot") == [(1, "a", value)]


def test_the_same_change_twice(studio: Studio) -> None:
    """Delete one of the two; often nothing is left to do."""
    branch(studio, "ours", shot(sg_new="text"))
    again = branch(studio, "theirs", shot(sg_new="text"))
    said = refused(studio, FoldError, lambda: studio.upgrade("heads"))
    assert "delete one of the two revisions and generate it anew" in said
    again.unlink()
    studio.upgrade()
    assert studio.revise() is None
    in_step(studio)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"sg_x": "number"}, "table shot is not there. Was it edited by hand"),
        ({"sg_new": "number"}, "table shot is not there any more, since revision b_named."),
    ],
    ids=["a conversion", "a new column"],
)
def test_what_another_branch_has_renamed(studio: Studio, field: dict[str, str], words: str) -> None:
    """Delete the one that the message is about, and generate it anew."""
    branch(studio, "a_number", shot(**field))
    studio.configure(entity_names="Shot=plan")
    branch(studio, "b_named", shot())
    said = refused(studio, FoldError, lambda: studio.upgrade("heads"))
    assert said.startswith(f"Revision a_number: {words}")
    assert re.search(r"delete (this revision|the later one) and generate it anew\.$", said)
    next(studio.versions.glob("a_number*.py")).unlink()
    studio.upgrade()
    studio.take(shot(**field))
    assert studio.revise() is not None
    studio.upgrade()
    studio.check()
    (name,) = field
    kept = {"sg_x": (12, "12"), "sg_new": (None, "12")}[name]
    assert studio.rows(f"SELECT {name}, sg_x{'__was_text' * (name == 'sg_x')} FROM plan") == [kept]


def test_a_revision_that_was_removed(studio: Studio) -> None:
    """What stands on it does not fit any more: deleted, and generated anew."""
    removed = studio.follow(shot(sg_new="text"), "0002")
    path = studio.follow(shot(sg_new="number"), "0003")
    removed.unlink()
    path.write_text(path.read_text("utf-8").replace("'0002'", "'0001'"), "utf-8")
    said = refused(studio, FoldError, studio.upgrade)
    assert said.endswith("delete this revision and generate it anew.")
    path.unlink()
    assert studio.revise("anew") is not None
    in_step(studio)


def test_a_revision_that_a_database_has_and_the_project_has_not(studio: Studio) -> None:
    """Its file is restored."""
    path = studio.follow(shot(sg_new="text"), "0002")
    studio.upgrade()
    text = path.read_text("utf-8")
    path.unlink()
    for command in (says(studio, "review"), says(studio, "revision"), says(studio, "carry"), studio.upgrade):
        assert f"Restore its file in {path.parent} from git" in refused(studio, LostRevisionError, command)
    path.write_text(text, "utf-8")
    in_step(studio)


def test_an_env_py_that_fails(studio: Studio) -> None:
    """It is mended, and the command run again."""
    studio.take(shot(sg_new="text"))
    env = studio.folder / "migrations" / "env.py"
    text = env.read_text("utf-8")
    env.write_text(text + "\nthere_is_no_such_name\n", "utf-8")
    said = refused(studio, EnvironmentFileError, says(studio, "revision"))
    assert said.startswith(f"{env}, line {text.count(chr(10)) + 2}: NameError: ")
    env.write_text(text, "utf-8")
    do(studio, "revision")
    in_step(studio)


def test_branches_that_contradict_each_other(studio: Studio) -> None:
    """The revisions of one branch go, and the merge, and are generated anew on top of the other."""
    branch(studio, "a_number", shot(sg_x="number"))
    branch(studio, "b_list", shot(sg_x="list"))
    merge = merged(studio)
    said = refused(studio, ContradictionError, studio.upgrade)
    found = re.search(r"merges (\w+) and (\w+), which both change ([\w.]+):", said)
    assert found is not None
    assert {found[1], found[2]} == {"a_number", "b_list"}
    assert found[3].startswith("shot.sg_x")
    merge.unlink()
    next(studio.versions.glob("b_list*")).unlink()
    studio.upgrade()
    command = re.search(r"(alembic revision --autogenerate)\.$", said)
    assert command is not None
    type_in(studio.folder, *command[1].split(), "-m", "anew", "--rev-id", "anew")
    in_step(studio)
    assert studio.rows("SELECT sg_x__was_number FROM shot") == [(12,)]


ASKS = 'rows = op.get_bind().execute(sa.text("SELECT count(*) FROM shot")).scalar_one()\nassert rows == 1'


def test_a_revision_that_asks_for_a_database(studio: Studio) -> None:
    path = studio.write("0002", ASKS, on="0001")
    said = refused(studio, RecordingError, studio.upgrade)
    line = re.search(r"remove its line '(.*?)\.\.\.'", said)
    assert line is not None
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert sum(row.startswith(line[1]) for row in lines) == 1
    path.write_text("".join(row for row in lines if not row.startswith(line[1])), "utf-8")
    in_step(studio)


def test_a_revision_that_python_cannot_read(studio: Studio) -> None:
    path = studio.write("0002", "pass", on="0001", top="import there_is_no_such_module\n")
    for command in (says(studio, "review"), says(studio, "revision"), says(studio, "models", "-")):
        said = refused(studio, BrokenRevisionError, command)
        assert said.startswith(f"{path}, line 10: ")
    line = path.read_text("utf-8").splitlines()[9]
    path.write_text(path.read_text("utf-8").replace(f"{line}\n", ""), "utf-8")
    do(studio, "review", "0002")
    in_step(studio)


def test_a_script_that_sqlite_has_no_statement_for(studio: Studio, databases: Databases, tmp_path: Path) -> None:
    """Either the upgrade itself, or scripts for the revisions before and after."""
    studio.follow(shot(sg_kind="text"), "0002")
    studio.follow(shot(sg_kind="text", sg_new="text"), "0003")
    said = refused(studio, OfflineRebuildError, studio.script)
    assert "of table shot" in said
    assert commands_in(said) == [["alembic", "upgrade"]]

    by_scripts = studio.copy(tmp_path / "scripts", databases.new("sqlite"))
    run_script(by_scripts, by_scripts.script(revision="0001"))
    by_scripts.execute("INSERT INTO shot (id, code, sg_x) VALUES (1, 'a', '12')")
    by_scripts.upgrade("0002")
    run_script(by_scripts, by_scripts.script(revision="0002:0003"))
    in_step(by_scripts)
    in_step(studio)
    assert contents(by_scripts.url)["structure"] == contents(studio.url)["structure"]


def run_script(studio: Studio, script: str) -> None:
    studio.execute(*(part for part in script.split(";\n") if part.strip() not in ("", "BEGIN", "COMMIT")))


# --- there is no such revision, or none can be written


def test_several_heads(studio: Studio) -> None:
    branch(studio, "ours", shot(sg_new="text"))
    branch(studio, "theirs", shot(sg_day="date"))
    said = refused(studio, RevisionError, says(studio, "revision"))
    command = re.search(r"Merge them: (alembic .*)\.$", said)
    assert command is not None
    type_in(studio.folder, *command[1].split())
    do(studio, "revision")
    studio.upgrade()
    studio.take(shot(sg_new="text", sg_day="date"))
    studio.revise()
    in_step(studio)


def test_no_revision_yet(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.take(shot())
    said = refused(studio, RevisionError, says(studio, "review"))
    command = re.search(r"first one: sg-migrate (\w+)\.$", said)
    assert command is not None
    do(studio, command[1])
    do(studio, "review")
    studio.upgrade()
    studio.check()


OWN = """
import sqlalchemy as sa
OWN = sa.MetaData()
sa.Table("invoice", OWN, sa.Column("id", sa.Integer, primary_key=True))
"""


def test_an_applications_own_tables(studio: Studio) -> None:
    """`sg-migrate revision` has no database to compare them with; the two commands of the message have."""
    env = studio.folder / "migrations" / "env.py"
    text = env.read_text("utf-8").replace("sg.options()", "sg.options(target_metadata=OWN)")
    env.write_text(text.replace("config = context.config\n", f"config = context.config\n{OWN}", 1), "utf-8")
    studio.take(shot(sg_new="text"))
    said = refused(studio, RevisionError, says(studio, "revision"))
    (_, *snapshot), autogenerate = commands_in(said)
    source = studio.folder / "site.json"
    source.write_bytes(studio.snapshot.read_bytes())
    do(studio, *snapshot, "--from", str(source))
    type_in(studio.folder, *autogenerate, "-m", "both")
    in_step(studio)
    assert {"invoice", "shot"} <= studio.structure()["tables"].keys()
