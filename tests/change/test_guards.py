"""What is refused or finished around a migration, whoever calls Alembic; printed remedies are carried out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from engines import Databases
from in_process import run_here
from sites import site, without
from structure import diff_structure
from studio import Studio, undisturbed

from sg_migrate.errors import DiscardError, UnprovenError, ViewsError
from sg_migrate.revisions.resume import resume

TEXT = site(Shot={"sg_cut": "text Cut", "sg_kind": "list Kind", "sg_day": "text Day"})
NUMBER = site(Shot={"sg_cut": "number Cut", "sg_kind": "list Kind", "sg_day": "text Day"})


def programmatic_upgrade(studio: Studio) -> None:
    """An application that calls Alembic itself, by a function of its own."""
    config = studio.config()
    scripts = ScriptDirectory.from_config(config)

    def whatever_it_is_called(heads: tuple[str, ...], context: object) -> list[object]:
        return scripts._upgrade_revs("heads", heads)  # type: ignore[arg-type, return-value]

    with undisturbed(), EnvironmentContext(config, scripts, fn=whatever_it_is_called):
        scripts.run_env()


def test_pending_values_are_finished_in_a_programmatic_upgrade(tmp_path: Path, server_url: str) -> None:
    studio = Studio(tmp_path / "project", server_url, carry_inline_rows="0")
    studio.step(TEXT)
    studio.execute("INSERT INTO shot (id, sg_cut) VALUES (1, '12'), (2, 'x')")
    studio.take(NUMBER)
    studio.revise()
    studio.upgrade()
    assert studio.rows("SELECT sg_cut FROM shot ORDER BY id") == [(None,), (None,)]  # pending
    assert studio.sg_migrate("prune", "Shot.sg_cut:text").exit_code == 0
    studio.revise()
    programmatic_upgrade(studio)
    assert studio.rows("SELECT sg_cut FROM shot ORDER BY id") == [(12,), (None,)]
    query = "SELECT count(*) FROM sg_catalog_field WHERE field_code = 'sg_cut'"
    assert studio.rows(query) == [(1,)]  # the catalog follows too


def test_views_are_refused_in_a_programmatic_upgrade(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(TEXT)
    studio.execute("CREATE VIEW cuts AS SELECT sg_cut FROM shot")
    studio.take(NUMBER)
    studio.revise("step", "sg_drift=ignore")
    before = studio.structure()
    with pytest.raises(ViewsError):
        programmatic_upgrade(studio)
    assert diff_structure(before, studio.structure()) == []


def test_a_downgrade_of_several_steps_is_refused_before_the_first(tmp_path: Path, server_url: str) -> None:
    studio = Studio(tmp_path / "project", server_url)
    studio.step(TEXT)
    studio.step(NUMBER)
    studio.execute("INSERT INTO shot (id, sg_cut) VALUES (1, 12)")  # no text of it is there
    studio.step(site(Shot={"sg_cut": "number Cut", "sg_kind": "list Kind", "sg_day": "date Day"}))
    before = studio.structure()
    with pytest.raises(DiscardError) as caught:
        studio.downgrade("-2")
    assert (caught.value.table, caught.value.column) == ("shot", "sg_cut")
    assert diff_structure(before, studio.structure()) == []
    assert studio.rows("SELECT version_num FROM alembic_version") == [("0003",)]
    remedy = re.search(r"alembic (-x \S+) downgrade", str(caught.value))
    assert remedy is not None
    run_here(studio.folder, "alembic", *remedy[1].split(), "downgrade", "-2")
    assert studio.rows("SELECT sg_cut FROM shot") == [(None,)]


def test_the_remedy_for_texts_that_grew_longer_works(tmp_path: Path, server_url: str) -> None:
    studio = Studio(tmp_path / "project", server_url)
    studio.step(TEXT)
    before = studio.structure()
    studio.step(site(Shot={"sg_cut": "text Cut", "sg_kind": "text Kind", "sg_day": "text Day"}))  # in place
    studio.execute(f"INSERT INTO shot (id, sg_kind) VALUES (1, 'short'), (2, '{'x' * 300}')")
    refused = run_here(studio.folder, "alembic", "downgrade", "-1", fails=True)
    remedy = re.search(r"alembic (-x \S+) downgrade", refused.stdout + refused.stderr)
    assert remedy is not None
    assert studio.rows("SELECT version_num FROM alembic_version") == [("0002",)]
    run_here(studio.folder, "alembic", *remedy[1].split(), "downgrade", "-1")
    assert diff_structure(before, studio.structure()) == []
    assert studio.rows("SELECT id, sg_kind FROM shot ORDER BY id") == [(1, "short"), (2, None)]


HALF_WAY = """
    op.add_column("shot", sa.Column("one", sa.Integer(), info={"sg": "Shot.one number"}))
    op.execute("UPDATE shot SET amount = amount * 2")
    op.add_column("shot", sa.Column("two", sa.Integer(), info={"sg": "Shot.two number"}))
"""


def test_resume_does_not_repeat_what_a_person_wrote(tmp_path: Path, databases: Databases) -> None:
    studio = Studio(tmp_path / "project", databases.new("mariadb"))
    studio.step(TEXT)
    studio.execute("ALTER TABLE shot ADD amount INTEGER", "INSERT INTO shot (id, amount) VALUES (1, 100)")
    path = studio.versions / "0002_hand.py"
    path.write_text(
        'revision = "0002"\ndown_revision = "0001"\nsg_digest = None\n'
        f"import sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade():{HALF_WAY}\n\ndef downgrade():\n    pass\n"
    )
    studio.execute("ALTER TABLE shot ADD two INTEGER")  # somebody's column of that name stops it
    studio.run("alembic", "upgrade", "head", fails=True)  # the real command, with a database's own error
    assert studio.rows("SELECT amount FROM shot") == [(200,)]
    studio.execute("ALTER TABLE shot DROP two")
    with undisturbed(), pytest.raises(UnprovenError, match="UPDATE shot SET amount"):
        resume(studio.config())
    assert studio.rows("SELECT amount FROM shot") == [(200,)]
    refused = run_here(studio.folder, "sg-migrate", "resume", fails=True)
    assert "--skip" in refused.stderr
    run_here(studio.folder, "sg-migrate", "resume", "--skip")
    assert studio.rows("SELECT amount, two FROM shot") == [(200, None)]
    assert studio.rows("SELECT version_num FROM alembic_version") == [("0002",)]
    again = Studio(tmp_path / "again", databases.new("mariadb"))
    again.step(TEXT)
    again.execute("ALTER TABLE shot ADD amount INTEGER", "INSERT INTO shot (id, amount) VALUES (1, 100)")
    (again.versions / path.name).write_text(path.read_text())
    again.execute("ALTER TABLE shot ADD two INTEGER")
    run_here(again.folder, "alembic", "upgrade", "head", fails=True)
    again.execute("ALTER TABLE shot DROP two", "UPDATE shot SET amount = 100")  # as if it had not run
    again.run("sg-migrate", "resume", "--again")  # the real command
    assert again.rows("SELECT amount, two FROM shot") == [(200, None)]


def test_foreign_keys_have_names_of_their_own(tmp_path: Path, server_url: str) -> None:
    studio = Studio(tmp_path / "project", server_url, foreign_keys="true")
    studio.step(site(Shot={"version_link": "entity:Asset"}, ShotVersion={"link": "entity:Asset"}, Asset={}))
    names = [name for table in studio.built.values() for name in table.foreign_keys]
    assert len(names) == len(set(names)) == 2
    studio.step(site(Shot={"version_link": "entity:Asset"}, ShotVersion={"link": "entity:Asset,Shot"}, Asset={}))
    assert [name for table in studio.built.values() for name in table.foreign_keys] == names[:1]


def test_kept_links_stay_when_the_ledger_does_not_know_their_field(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(site(Shot={"sg_lead": "multi_entity:Asset", "sg_cut": "text"}, Asset={}))
    studio.step(site(Shot={"sg_lead": "text", "sg_cut": "number"}, Asset={}))
    kept = {"shot__sg_lead__was_multi_entity"}
    assert kept <= set(studio.built)
    studio.snapshot.unlink()  # a snapshot made anew knows nothing of what was
    studio.take(site(Shot={"sg_cut": "number"}, Asset={}))
    studio.revise()
    assert kept <= set(studio.built)
    assert {"sg_lead", "sg_cut__was_text"} <= set(studio.built["shot"].columns)


def test_what_is_pruned_is_what_was_named(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(site(Order={"sg_x": "entity:Order"}))
    named_alike = {"sg_x": "text", "sg_x__was_entity": "text", "sg_x_id__was_entity": "text"}
    studio.step(site(Order=named_alike))
    refused = studio.sg_migrate("prune", "Order.sg_x__was_entity")
    assert "it is on the site" in str(refused.exception)
    assert studio.sg_migrate("prune", "Order.sg_x:entity_2").exit_code == 0
    studio.apply()
    assert {"sg_x", "sg_x__was_entity", "sg_x_id__was_entity"} == set(studio.built["order"].columns) - {
        "id",
        "retired_at",
    }
    studio.take(without(site(Order=named_alike), "Order.sg_x__was_entity"))
    assert studio.sg_migrate("prune", "Order.sg_x__was_entity").exit_code == 0


def test_the_catalog_writes_what_differs(tmp_path: Path, sqlite_url: str) -> None:
    studio = Studio(tmp_path / "project", sqlite_url)
    studio.step(TEXT)
    studio.execute(
        "CREATE TABLE written (rows INTEGER)",
        *(
            f"CREATE TRIGGER w{number} AFTER {what} ON sg_catalog_{of} BEGIN INSERT INTO written VALUES (1); END"
            for number, (what, of) in enumerate((w, o) for w in ("INSERT", "DELETE") for o in ("entity", "field"))
        ),
    )
    studio.take(site(Shot={"sg_cut": "text Cut", "sg_kind": "list Kind", "sg_day": "text Day", "sg_new": "text New"}))
    studio.revise()
    studio.upgrade()
    assert studio.rows("SELECT count(*) FROM written") == [(1,)]
    assert studio.rows("SELECT display_name FROM sg_catalog_field WHERE field_code = 'sg_new'") == [("New",)]
    studio.downgrade()
    assert studio.rows("SELECT count(*) FROM written") == [(2,)]
    assert studio.rows("SELECT count(*) FROM sg_catalog_field WHERE field_code = 'sg_new'") == [(0,)]
