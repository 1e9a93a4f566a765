"""Branches, merges and hand-written revisions in the chain: the fold counts what is ours, wherever it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import alembic.command
import pytest
from engines import Databases
from harness import History, a_site, run, undisturbed

from sg_migrate import Field
from sg_migrate.errors import FoldError, RecordingError
from sg_migrate.warehouse.state import State

TURNOVER = Field("Shot", "sg_turnover", "date", "Turnover")
LENS = Field("Shot", "sg_lens", "text", "Lens")


def branch(history: History, name: str, *fields: Field) -> None:
    """A revision on the first one, as a colleague makes it whose branch has nothing else."""
    others = {path: path.read_bytes() for path in history.versions.glob("*.py") if not path.name.startswith("0001")}
    for path in others:
        path.unlink()
    history.take(a_site(*fields))
    with undisturbed():
        alembic.command.stamp(history.config(), "0001", purge=True)
        alembic.command.revision(history.config("sg_drift=ignore"), name, autogenerate=True, rev_id=name)
    for path, content in others.items():
        path.write_bytes(content)


@pytest.fixture
def history(databases: Databases, tmp_path: Path) -> History:
    history = History(tmp_path / "project", databases.new("sqlite"))
    history.take(a_site())
    history.revise("first")
    history.upgrade()
    return history


def names(state: State, table: str) -> set[str]:
    return set(state[table].columns)


def test_two_branches_and_a_merge(history: History, databases: Databases) -> None:
    path = history.project().snapshot_path
    first = path.read_bytes()
    branch(history, "turnover", TURNOVER)
    path.write_bytes(first)
    branch(history, "lens", LENS)
    assert {"sg_turnover", "sg_lens"} <= names(history.built(), "shot")
    history.take(a_site(TURNOVER, LENS))
    run(history.folder, "alembic", "merge", "heads", "-m", "both")
    with undisturbed():
        alembic.command.stamp(history.config(), "0001", purge=True)
    history.upgrade()
    history.check()
    assert history.revise("nothing") is None
    assert history.against_the_model(databases) == []
    history.take(a_site(TURNOVER, LENS, Field("Shot", "sg_more", "number", "More")))
    revision = history.revise("more")
    assert revision is not None
    text = revision.read_text(encoding="utf-8")
    assert "sg_more" in text
    assert "sg_lens" not in text
    assert "sg_turnover" not in text
    history.upgrade()
    history.check()
    assert history.against_the_model(databases) == []
    for target in ("turnover", "0001", "base"):
        history.downgrade(target)
    history.upgrade()
    assert history.against_the_model(databases) == []


def test_branches_that_do_the_same_are_an_error(history: History) -> None:
    path = history.project().snapshot_path
    first = path.read_bytes()
    branch(history, "once", LENS)
    path.write_bytes(first)
    branch(history, "again", LENS)
    with pytest.raises(FoldError, match=r"column shot\.sg_lens is added a second time"):
        history.built()


HAND_WRITTEN = '''"""by hand"""

import sqlalchemy as sa
from alembic import op

revision = "hand"
down_revision = "0001"


def upgrade() -> None:
    rows = op.get_bind().execute(sa.text("SELECT count(*) FROM shot")).scalar_one()
    assert rows == 0
    op.create_table("by_hand", sa.Column("id", sa.Integer, primary_key=True))
    op.add_column("shot", sa.Column("by_hand", sa.Integer))


def downgrade() -> None:
    op.drop_column("shot", "by_hand")
    op.drop_table("by_hand")
'''


def test_hand_written_revisions_are_left_alone(history: History) -> None:
    (history.versions / "hand.py").write_text(HAND_WRITTEN, encoding="utf-8")
    history.upgrade()
    history.check()
    assert "by_hand" not in history.built()
    assert "by_hand" not in names(history.built(), "shot")
    history.take(a_site(LENS))
    revision = history.revise("lens")
    assert revision is not None
    assert "by_hand" not in revision.read_text(encoding="utf-8")
    history.upgrade()
    history.check()
    structure = history.structure()
    history.downgrade("base")
    history.upgrade()
    assert history.structure() == structure


def test_hand_edits_of_ours_are_counted(history: History) -> None:
    """What a person adds to one of our revisions counts when it carries a mark, and is foreign when it does not."""
    history.take(a_site(LENS))
    revision = history.revise("lens")
    assert revision is not None
    text = revision.read_text(encoding="utf-8")
    added = "    op.add_column('shot', sa.Column('foreign_one', sa.Integer()))\n"
    renamed = "    op.alter_column('shot', 'sg_lens', new_column_name='lens', existing_type=sg_text)\n"
    revision.write_text(text.replace("\n\n\ndef downgrade", f"\n{added}{renamed}\n\ndef downgrade"), encoding="utf-8")
    assert "lens" in names(history.built(), "shot")
    assert "sg_lens" not in names(history.built(), "shot")
    assert "foreign_one" not in names(history.built(), "shot")


def test_ours_that_needs_a_database_is_a_clear_error(history: History) -> None:
    text = HAND_WRITTEN.replace('down_revision = "0001"', 'down_revision = "0001"\nsg_digest = "0123456789abcdef"')
    (history.versions / "hand.py").write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError) as caught:
        history.built()
    assert "Revision hand" in str(caught.value)
    assert "asks for a database connection" in str(caught.value)
    assert "sg_digest" in str(caught.value)
    before = history.structure()
    finished = run(history.folder, "alembic", "upgrade", "head", fails=True)
    assert "Revision hand cannot be read without a database" in finished.stdout + finished.stderr
    assert history.structure() == before


def test_a_removed_revision_is_a_clear_error(history: History) -> None:
    history.take(a_site(LENS))
    history.revise("lens")
    history.take(a_site(Field("Shot", "sg_lens", "number", "Lens")))
    history.upgrade()
    third = history.revise("number")
    assert third is not None
    second = next(history.versions.glob("0002*"))
    second.unlink()
    third.write_text(third.read_text(encoding="utf-8").replace("'0002'", "'0001'"), encoding="utf-8")
    shutil.rmtree(history.versions / "__pycache__", ignore_errors=True)
    with pytest.raises(FoldError, match=r"Revision 0003: column shot\.sg_lens is not there"):
        history.built()
