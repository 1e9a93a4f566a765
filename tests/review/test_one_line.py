"""What goes wrong around a command is one line: what happened, where, what to do; and no file is half written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from reviewed import Reviewed, local, message_of, small_site
from sites import without

from sg_migrate.site.lock import locked

pytest_plugins = ["reviewfixtures"]


@pytest.fixture
def walled(tmp_path: Path) -> Path:
    """A place where nothing can be made, for root either: below a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "below"


def in_one_line(made: Reviewed, *command: str) -> str:
    done = made.run("sg-migrate", *command, fails=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("note: "))
    return line


@pytest.mark.parametrize("command", ["models", "init", "demo", "snapshot"])
def test_a_place_that_cannot_be_written(small: Reviewed, walled: Path, command: str) -> None:
    source = small.written(small_site())
    arguments = {
        "models": ["models", str(walled / "out.py")],
        "init": ["init", str(walled)],
        "demo": ["demo", str(walled)],
        "snapshot": ["snapshot", "--from", source, "--to", str(walled / "s.json")],
    }[command]
    assert str(walled) in in_one_line(small, *arguments)


def test_a_folder_that_is_not_there(small: Reviewed) -> None:
    assert "nowhere" in in_one_line(small, "models", "nowhere/out.py")


COMMANDS = [["review"], ["check"], ["revision"], ["models", "-"], ["carry"], ["prune", "Shot"], ["set-aside", "Shot"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_revision_that_is_missing_in_the_middle(small: Reviewed, command: list[str]) -> None:
    for number in (2, 3):
        small.follow(small_site(sg_a="date", **({"sg_b": "date"} if number == 3 else {})), f"r{number}")
    small.upgrade()
    small.revision("r2").unlink()
    result = small.inside(*command)
    said = result.output if command == ["check"] else message_of(result)
    assert "a revision stands on 'r2', and there is no such revision: restore its file from git" in said


@pytest.mark.parametrize("command", [["review"], ["check"], ["revision"], ["carry"]], ids=lambda command: command[0])
def test_a_revision_that_is_missing_at_the_head(small: Reviewed, command: list[str]) -> None:
    small.follow(small_site(sg_a="date"), "r2")
    small.upgrade()
    small.revision("r2").unlink()
    result = small.inside(*command)
    said = result.output if command == ["check"] else message_of(result)
    assert "the database is at r2, which this project does not have" in said.lower()


def test_two_at_once(small: Reviewed) -> None:
    source = small.written(small_site(sg_a="date"))
    before = {path: path.read_bytes() for path in small.folder.rglob("*") if path.is_file()}
    with locked(small.snapshot):
        for command in (["revision", "--from", source], ["snapshot", "--from", source], ["set-aside", "Shot.code"]):
            assert "another sg-migrate command is writing it" in in_one_line(small, *command)
    assert {path: path.read_bytes() for path in before} == before
    assert small.run("sg-migrate", "revision", "--from", source, fails=True).returncode == 3


def test_two_revisions_side_by_side_write_one(small: Reviewed) -> None:
    source = small.written(small_site(sg_a="date"))
    command = [sys.executable, "-m", "sg_migrate", "revision", "--from", source]
    both = [subprocess.Popen(command, cwd=small.folder, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert len(list(small.versions.glob("*.py"))) == 2, said
    assert all("Traceback" not in text for text in said)


def test_an_env_py_that_needs_its_application(small: Reviewed) -> None:
    env = small.folder / "migrations" / "env.py"
    application = "from flask import current_app\ncurrent_app.name\n"
    env.write_text(env.read_text().replace("config = context.config\n", f"{application}config = context.config\n"))
    said = in_one_line(small, "revision", "--from", small.written(small_site(sg_a="date")))
    assert "env.py, line " in said
    assert "flask db migrate" in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"include": "Shott"}, "The setting include says Shott: the site has nothing of that name. Was it Shot?"),
        ({"include": "Shot.sg_cutin"}, "Was it Shot.sg_cut_in?"),
        ({"include": "Nothing.*"}, "The setting include says Nothing.*: nothing on the site matches."),
        ({"entity_names": "Shott=shots"}, "The setting entity_names says Shott: the site has no such entity type."),
        ({"entity_names": "Shot=task"}, "The setting entity_names says Shot=task: another table has that name."),
        ({"inclued": "Shot"}, "no setting is called 'inclued'. Was it include?"),
        ({"include": "Shot..x"}, "alembic.ini [sg_migrate]: include: pattern 'Shot..x': "),
    ],
)
@pytest.mark.parametrize("command", ["sg-migrate", "alembic"])
def test_a_name_in_the_settings_that_means_nothing(
    tmp_path: Path, settings: dict[str, str], said: str, command: str
) -> None:
    made = Reviewed.at(Reviewed(tmp_path / "p", **settings).folder, local(tmp_path / "p"))
    made.take(small_site())
    arguments = ["revision"] if command == "sg-migrate" else ["revision", "--autogenerate", "-m", "first"]
    done = made.run(command, *arguments, fails=True)
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert list(made.versions.glob("*.py")) == []


def test_a_pattern_that_may_be_right_all_the_same_is_said(small: Reviewed) -> None:
    small.configure(exclude="Taskk *.sg_nothing")
    done = small.run("sg-migrate", "revision")
    assert "The setting exclude says Taskk, and nothing on the site matches; was it Task?" in done.stderr
    assert "*.sg_nothing" in done.stderr


def test_what_the_site_had_once_is_no_typo(small: Reviewed) -> None:
    small.configure(include="Shot Task")
    assert small.inside("revision", "--from", small.written(small_site())).exit_code == 0
    gone = without(small_site(), "Task")
    assert small.inside("revision", "--from", small.written(gone, "gone.json"), "--accept-retirements").exit_code == 3


@pytest.mark.parametrize("section", ["[sg-migrate]", "[SG_MIGRATE]", "[sgmigrate]"])
def test_a_section_that_is_meant_to_be_ours(small: Reviewed, section: str) -> None:
    small.ini.write_text(small.ini.read_text().replace("[sg_migrate]", section))
    said = in_one_line(small, "revision")
    assert f"{section}: the settings of sg_migrate are in [sg_migrate]" in said


def test_an_argument_without_its_sg(small: Reviewed) -> None:
    done = small.run("sg-migrate", "revision", "-x", "retire=drop")
    assert "was it -x sg_retire=" in done.stderr


def test_a_password_is_written_into_no_file(tmp_path: Path) -> None:
    url = "postgresql+psycopg://me:s3cret@db.example/warehouse"
    done = subprocess.run(
        [sys.executable, "-m", "sg_migrate", "init", "p", "--url", url], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "DATABASE_URL" in done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cret" in path.read_bytes()]
    assert "postgresql+psycopg://me@db.example/warehouse" in (tmp_path / "p" / "alembic.ini").read_text()
