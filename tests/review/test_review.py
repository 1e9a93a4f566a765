"""``sg-migrate review``: hand-written dangers, allowances, databases, formats, exit codes."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from markdowncheck import tables
from reviewed import Reviewed, codes, edit, message_of, small_site
from sites import REAL, without
from studio import TODAY

import sg_migrate.review
from sg_migrate.reports import markdown
from sg_migrate.reports.review_document import review_document
from sg_migrate.reports.text import text_report
from sg_migrate.review.findings import Level
from sg_migrate.site.sources import load_schema

pytest_plugins = ["reviewfixtures"]

PYTHON = Path(sys.executable).parent


def run(made: Reviewed, *arguments: str) -> Result:
    """The command in this process, in the project's folder."""
    return made.inside("review", *arguments)


def lines(made: Reviewed, dialect: str = "sqlite") -> str:
    return "\n".join(line for line, _ in text_report([made.review(dialect=dialect)]))


# --- what nobody may miss


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ('op.drop_table("shot")', "SGM101", "destructive SGM101: A table is dropped"),
        ('op.execute("UPDATE shot SET code = upper(code)")', "SGM105", "UPDATE shot SET code = upper(code)"),
        ('op.alter_column("shot", "sg_status", nullable=False)', "SGM204", 'Shot.sg_status "Status": becomes NOT NULL'),
    ],
)
def test_dangers_written_by_hand_are_found_and_stop_a_pipeline(
    small: Reviewed, body: str, code: str, said: str
) -> None:
    small.write("r2", body, on="r1")
    result = run(small)
    assert result.exit_code == 4
    assert code in result.stdout
    assert said in result.stdout
    assert "line 13" in result.stdout


def test_the_dangerous_part_comes_first(small: Reviewed) -> None:
    small.write("r2", "op.create_index('ix', 'shot', ['code'])\nop.drop_column('shot', 'sg_frames')\npass", on="r1")
    text = lines(small, dialect="postgresql")
    assert text.index("destructive SGM102") < text.index("locking SGM402") < text.index("By entity type")


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
def test_a_revision_that_only_retires_is_safe(small: Reviewed, dialect: str) -> None:
    small.follow(small_site(sg_cut_in="", sg_frames=""), "r2")
    result = small.review(dialect=dialect)
    assert codes(result) <= {"SGM502"}
    assert result.level is Level.SAFE
    assert [(line.sign, line.change.field) for line in result.lines] == [("-", "sg_cut_in"), ("-", "sg_frames")]


def test_a_retired_entity_type_is_safe(small: Reviewed) -> None:
    small.follow(without(small_site(), "Task"), "r2")
    assert small.review().findings == ()


def test_a_prune_is_destructive_and_says_that_it_was_retired_before(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in=""), "r2")
    small.configure(retire="drop")
    small.follow(small_site(sg_cut_in="", sg_frames="number"), "r3")
    (finding,) = (f for f in small.review("r3").findings if f.level is Level.DESTRUCTIVE)
    assert (finding.rule.code, finding.what) == ("SGM102", f"gone from the site since {TODAY}, dropped with its values")


def test_a_plain_addition_and_its_downgrade_find_nothing(small: Reviewed) -> None:
    small.follow(small_site(sg_a="date", sg_b="multi_entity", sg_c="entity"), "r2")
    assert small.review().findings == ()


def test_a_conversion_and_its_downgrade_are_one_finding(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in="number"), "r2")
    (finding,) = small.review().findings
    assert finding.rule.code == "SGM201"
    assert finding.place == "Shot.sg_cut_in"


# --- other people's revisions


def test_a_foreign_revision_is_judged_too(small: Reviewed) -> None:
    small.write("r2", "op.drop_table('users')", ours=False, on="r1")
    (finding,) = (f for f in small.review().findings if f.level is Level.DESTRUCTIVE)
    assert (finding.rule.code, finding.sql_name, finding.mark) == ("SGM101", "users", None)


def test_a_revision_that_needs_a_database_is_a_finding_and_no_crash(small: Reviewed) -> None:
    small.write("r2", "connection = op.get_bind()\nconnection.execute(sa.text('SELECT 1'))", ours=False, on="r1")
    result = run(small)
    assert result.exit_code == 4
    assert "SGM106" in result.stdout
    assert "asks for a database connection" in result.stdout


def test_a_revision_on_top_of_one_that_cannot_be_read_is_judged_as_far_as_possible(small: Reviewed) -> None:
    small.write("r2", "op.get_bind()", on="r1")
    small.write("r3", "op.drop_table('shot')", on="r2")
    assert {"SGM106", "SGM103"} <= codes(small.review("r3"))


def test_a_downgrade_that_refuses_is_a_note(small: Reviewed) -> None:
    small.write("r2", "op.drop_column('shot', 'sg_cut_in')", "raise NotImplementedError('no way back')", on="r1")
    assert codes(small.review()) == {"SGM102", "SGM302", "SGM305"}


# --- allowances


def test_an_allowance_is_about_the_next_statement_only(small: Reviewed) -> None:
    small.write(
        "r2",
        """
        # sg-migrate: allow SGM102 -- never used, asked Ann
        op.drop_column("shot", "sg_cut_in")
        op.drop_column("shot", "sg_frames")
        op.drop_column("shot", "sg_status")  # sg-migrate: allow SGM102, SGM104 -- neither was this
        """,
        "raise NotImplementedError",
        on="r1",
    )
    result = small.review()
    assert [f.column for f in result.open if f.rule.code == "SGM102"] == ["sg_frames"]
    assert "never used, asked Ann" in lines(small)


def test_an_allowance_outside_of_functions_is_about_the_whole_revision(small: Reviewed) -> None:
    small.write("r2", "op.execute('x')", top="# sg-migrate: allow SGM105 -- moved\n", on="r1")
    result = run(small)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1] == "safe: nothing to look at, 1 allowed in the file"
    assert "because: moved" in result.stdout


def test_a_string_that_looks_like_an_allowance_allows_nothing(small: Reviewed) -> None:
    small.write("r2", 'op.execute("""\n# sg-migrate: allow SGM105 -- hidden\n""")', on="r1")
    assert "SGM105" in codes(small.review())


def test_what_an_allowance_says_cannot_act_on_a_terminal(small: Reviewed) -> None:
    small.write("r2", "op.execute('x')", top="# sg-migrate: allow SGM105 -- \x1b[31mred\u202e\n", on="r1")
    assert "\x1b" not in lines(small)
    assert "\u202e" not in lines(small)


def test_names_in_a_revision_cannot_act_on_a_terminal(small: Reviewed) -> None:
    small.write("r2", "op.drop_table('a\\x1b[2Jb\\u202ec')", ours=False, on="r1")
    result = run(small)
    assert "a [2Jbc: dropped with its rows" in result.stdout
    assert not {"\x1b", "\u202e"} & set(result.stdout)


# --- which revisions


def test_without_a_name_the_newest_or_what_the_database_lacks(small: Reviewed) -> None:
    for number in (2, 3, 4):
        small.follow(small_site(**{f"sg_{n}": "date" for n in range(2, number + 1)}), f"r{number}")
    assert revisions(run(small, "--format", "json")) == ["r4"]
    small.upgrade("r2")
    assert revisions(run(small, "--format", "json")) == ["r3", "r4"]
    small.upgrade()
    quiet = run(small, "--format", "json", "--fail-on", "safe")
    assert (quiet.exit_code, revisions(quiet)) == (0, [])
    assert quiet.stderr == "Nothing is pending: the database has every revision.\n"
    assert revisions(run(small, "r1:r3", "--format", "json")) == ["r2", "r3"]
    file = str(next(small.versions.glob("r2_*.py")))
    assert revisions(run(small, file, "r3", "--format", "json")) == ["r2", "r3"]


def revisions(result: Result) -> list[str]:
    return [one["revision"] for one in json.loads(result.stdout)["revisions"]]


def test_a_revision_that_is_not_there_is_one_message(small: Reviewed) -> None:
    done = small.run("sg-migrate", "review", "nothing", fails=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nothing" in done.stderr


def test_a_file_that_is_no_python_is_one_message(small: Reviewed) -> None:
    small.write("r2", "op.drop_table('shot'", on="r1")
    done = small.inside("review")
    assert done.exit_code == 1
    assert "r2_r2.py, line " in message_of(done)


def test_a_merge_revision_is_reviewed_and_not_called_empty(small: Reviewed) -> None:
    small.write("r2", ADDED, on="r1")
    small.write("r3", ADDED.replace("sg_new", "sg_other"), on="r1")
    edit(small.write("r4", "pass", ours=False, on="r1"), "down_revision = 'r1'", "down_revision = ('r2', 'r3')")
    result = small.review("r4")
    assert result.down_revisions == ("r2", "r3")
    assert not codes(result) & {"SGM301", "SGM303"}


ADDED = "op.add_column('shot', sa.Column('sg_new', sa.Date(), info={'sg': 'Shot.sg_new date'}))"


def test_a_review_creates_no_database(small: Reviewed) -> None:
    before = sorted(small.folder.rglob("*"))
    run(small)
    assert [path for path in sorted(small.folder.rglob("*")) if "__pycache__" not in path.parts] == [
        path for path in before if "__pycache__" not in path.parts
    ]


def test_a_database_that_was_named_must_be_there(small: Reviewed) -> None:
    result = run(small, "--url", "sqlite:///elsewhere.db")
    assert result.exit_code == 1
    assert not (small.folder / "elsewhere.db").exists()


# --- statements


def test_the_statements_are_those_of_alembic_upgrade_sql(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in="number", sg_new="date"), "r2")
    shown = small.review(dialect="postgresql", sql=True).statements
    assert shown is not None
    assert not shown.problem
    script = small.script(revision="r1:r2", url="postgresql+psycopg://nobody@nowhere/none")
    statements = [line for line in shown.sql.splitlines() if line.strip()]
    assert statements
    assert set(statements) <= set(script.splitlines())


def test_what_sqlite_cannot_write_as_text_is_said(small: Reviewed) -> None:
    small.write("r2", "with op.batch_alter_table('shot') as b:\n    b.drop_column('sg_cut_in')", on="r1")
    result = run(small, "--sql")
    assert "cannot be written without a database" in result.stdout


# --- formats


def test_text_is_coloured_on_a_terminal_only(small: Reviewed) -> None:
    assert "\x1b" not in run(small).stdout
    script = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    command = [sys.executable, "-c", script, str(PYTHON / "sg-migrate"), "review"]
    environment = {"TERM": "xterm-256color", "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=small.folder, env=environment, capture_output=True, text=True, check=True)
    assert "\x1b[" in done.stdout


@pytest.mark.skipif(not REAL, reason="the real schemas are not here")
def test_three_years_of_a_real_site_fit_a_screen(tmp_path: Path) -> None:
    states = [path for path in REAL if path.match("site-a-201[47]*.json")]
    made = Reviewed.make(tmp_path / "real", load_schema(states[0]).schema)
    made.follow(load_schema(states[-1]).schema, "r2")
    result = made.review("r2", "postgresql")
    assert result.operations >= 300
    text = [line for line, _ in text_report([result])]
    assert len(text) <= 60
    assert text[1].startswith("visible: ")
    assert "destructive" not in text[1]
    details = [line for line, _ in text_report([result], details=True)]
    assert len(details) > 300
    shown = markdown.render(review_document([result]))
    assert len(shown) < 65_536
    assert tables(shown)


def test_the_page_begins_with_the_site_the_date_and_plain_words(small: Reviewed) -> None:
    """It travels by mail, to people who know the site and no SQL."""
    small.follow(small_site(sg_cut_in="number", sg_new="date"), "r2")
    page = run(small, "--format", "html").stdout
    snapshot = small.project().required_snapshot()
    about, words, table = (page.index(text) for text in ('<p class="about">', "1 field gets another type", "<table>"))
    assert about < words < table
    assert re.search(rf'about">{re.escape(str(snapshot.schema.host))}, \d{{4}}-\d\d-\d\d<', page)
    assert "Nothing is lost" in page[words:table]


def test_every_format_is_printed(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in="number"), "r2")
    assert json.loads(run(small, "--format", "json").stdout)["format"] == "sg-migrate review"
    assert run(small, "--format", "html").stdout.startswith("<!DOCTYPE html>")
    assert tables(run(small, "--format", "markdown").stdout)


@pytest.mark.parametrize(
    ("level", "code"), [("safe", 4), ("locking", 4), ("visible", 4), ("unsafe", 0), ("destructive", 0)]
)
def test_fail_on_decides_the_exit_code(small: Reviewed, level: str, code: int) -> None:
    small.follow(small_site(sg_cut_in="number"), "r2")
    assert run(small, "--fail-on", level).exit_code == code


# --- how it is built


def test_the_review_never_imports_the_site_connection() -> None:
    package = Path(sg_migrate.review.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not {"sg_migrate.site.live", "sg_migrate.site.sources", "shotgun_api3"} & set(names), path


def test_a_review_loads_no_client_of_the_site(small: Reviewed) -> None:
    script = (
        "import sys; from sg_migrate.cli import main\n"
        "sys.argv = ['sg-migrate', 'review']\n"
        "try:\n    main()\nexcept SystemExit as error:\n    assert not error.code\n"
        "assert 'shotgun_api3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=small.folder, check=True, capture_output=True)


def test_the_same_revision_reads_the_same_under_another_hash_seed(small: Reviewed) -> None:
    small.follow(small_site(sg_cut_in="number", sg_frames="text", sg_new="date"), "r2")
    found = set()
    for seed in ("1", "2"):
        command = ("sg-migrate", "review", "--format", "json", "--fail-on", "safe")
        found.add(small.run(*command, env={"PYTHONHASHSEED": seed}, fails=True).stdout)
    assert len(found) == 1


def test_a_project_moved_elsewhere_is_reviewed_alike(small: Reviewed, tmp_path: Path) -> None:
    small.follow(small_site(sg_cut_in="number"), "r2")
    other = small.twin(tmp_path / "other")
    assert run(small, "--format", "json").stdout == run(other, "--format", "json").stdout
