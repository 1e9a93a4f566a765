"""Branches, merges and hand-written revisions in the chain: the fold counts what is ours, wherever it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import alembic.command
import pytest
from engines import Databases
from small_site import small_site
from studio import Studio, undisturbed

from sg_migrate.errors import FoldError, RecordingError
from sg_migrate.warehouse.state import State

TURNOVER = {"sg_turnover": "date Turnover"}
LENS = {"sg_lens": "text Lens"}


def branch(studio: Studio, name: str, **shot: str) -> None:
    """A revision on the first one, as a colleague makes it whose branch has nothing else."""
    others = {path: path.read_bytes() for path in studio.versions.glob("*.py") if not path.name.startswith("0001")}
    for path in others:
        path.unlink()
    studio.take(small_site(**shot))
    with undisturbed():
        alembic.command.stamp(studio.config(), "0001", purge=True)
        alembic.command.revision(studio.config("sg_drift=ignore"), name, autogenerate=True, rev_id=name)
    for path, content in others.items():
        path.write_bytes(content)


@pytest.fixture
def studio(databases: Databases, tmp_path: Path) -> Studio:
    studio = Studio(tmp_path / "project", databases.new("sqlite"))
    studio.take(small_site())
    studio.revise("first")
    studio.upgrade()
    return studio


def names(state: State, table: str) -> set[str]:
    return set(state[table].columns)


def test_two_branches_and_a_merge(studio: Studio, databases: Databases) -> None:
    first = studio.snapshot.read_bytes()
    branch(studio, "turnover", **TURNOVER)
    studio.snapshot.write_bytes(first)
    branch(studio, "lens", **LENS)
    assert {"sg_turnover", "sg_lens"} <= names(studio.built, "shot")
    studio.take(small_site(**TURNOVER, **LENS))
    studio.run("alembic", "merge", "heads", "-m", "both")
    with undisturbed():
        alembic.command.stamp(studio.config(), "0001", purge=True)
    studio.upgrade()
    studio.check()
    assert studio.revise("nothing") is None
    assert studio.against_the_model(databases) == []
    studio.take(small_site(**TURNOVER, **LENS, sg_more="number More"))
    revision = studio.revise("more")
    assert revision is not None
    text = revision.read_text(encoding="utf-8")
    assert "sg_more" in text
    assert "sg_lens" not in text
    assert "sg_turnover" not in text
    studio.upgrade()
    studio.check()
    assert studio.against_the_model(databases) == []
    for target in ("turnover", "0001", "base"):
        studio.downgrade(target)
    studio.upgrade()
    assert studio.against_the_model(databases) == []


def test_branches_that_do_the_same_are_an_error(studio: Studio) -> None:
    first = studio.snapshot.read_bytes()
    branch(studio, "once", **LENS)
    studio.snapshot.write_bytes(first)
    branch(studio, "again", **LENS)
    with pytest.raises(FoldError, match=r"column shot\.sg_lens is added a second time"):
        _ = studio.built


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


def test_hand_written_revisions_are_left_alone(studio: Studio) -> None:
    (studio.versions / "hand.py").write_text(HAND_WRITTEN, encoding="utf-8")
    studio.upgrade()
    studio.check()
    assert "by_hand" not in studio.built
    assert "by_hand" not in names(studio.built, "shot")
    studio.take(small_site(**LENS))
    revision = studio.revise("lens")
    assert revision is not None
    assert "by_hand" not in revision.read_text(encoding="utf-8")
    studio.upgrade()
    studio.check()
    structure = studio.structure()
    studio.downgrade("base")
    studio.upgrade()
    assert studio.structure() == structure


def test_hand_edits_of_ours_are_counted(studio: Studio) -> None:
    """What a person adds to one of our revisions counts when it carries a mark, and is foreign when it does not."""
    studio.take(small_site(**LENS))
    revision = studio.revise("lens")
    assert revision is not None
    text = revision.read_text(encoding="utf-8")
    added = "    op.add_column('shot', sa.Column('foreign_one', sa.Integer()))\n"
    renamed = "    op.alter_column('shot', 'sg_lens', new_column_name='lens', existing_type=sg_text)\n"
    revision.write_text(text.replace("\n\n\ndef downgrade", f"\n{added}{renamed}\n\ndef downgrade"), encoding="utf-8")
    assert "lens" in names(studio.built, "shot")
    assert "sg_lens" not in names(studio.built, "shot")
    assert "foreign_one" not in names(studio.built, "shot")


def test_ours_that_needs_a_database_is_a_clear_error(studio: Studio) -> None:
    text = HAND_WRITTEN.replace('down_revision = "0001"', 'down_revision = "0001"\nsg_digest = "0123456789abcdef"')
    (studio.versions / "hand.py").write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError) as caught:
        _ = studio.built
    assert "Revision hand" in str(caught.value)
    assert "asks for a database connection" in str(caught.value)
    assert "sg_digest" in str(caught.value)
    before = studio.structure()
    finished = studio.run("alembic", "upgrade", "head", fails=True)
    assert "Revision hand cannot be read without a database" in finished.stdout + finished.stderr
    assert studio.structure() == before


def test_a_removed_revision_is_a_clear_error(studio: Studio) -> None:
    studio.take(small_site(**LENS))
    studio.revise("lens")
    studio.take(small_site(sg_lens="number Lens"))
    studio.upgrade()
    third = studio.revise("number")
    assert third is not None
    second = next(studio.versions.glob("0002*"))
    second.unlink()
    third.write_text(third.read_text(encoding="utf-8").replace("'0002'", "'0001'"), encoding="utf-8")
    shutil.rmtree(studio.versions / "__pycache__", ignore_errors=True)
    with pytest.raises(FoldError, match=r"Revision 0003: column shot\.sg_lens is not there"):
        _ = studio.built
