"""The replay is what Alembic does: branches that touch the same things, merged, on databases of every path."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
from engines import Databases
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sites import site
from structure import diff_structure
from studio import Studio, created, undisturbed

from sg_migrate import SiteSchema
from sg_migrate.errors import ContradictionError, FoldError

Fields = dict[str, dict[str, str]]

EDITS: dict[str, Callable[[Fields], object]] = {
    "called A": lambda fields: fields["Shot"].update(sg_cut=fields["Shot"].get("sg_cut", "text").split()[0] + " A"),
    "called B": lambda fields: fields["Shot"].update(sg_cut=fields["Shot"].get("sg_cut", "text").split()[0] + " B"),
    "a new text": lambda fields: fields["Shot"].update(sg_new="text New"),
    "a new number": lambda fields: fields["Shot"].update(sg_new="number New"),
    "retired": lambda fields: fields["Shot"].pop("sg_cut", None),
    "a number now": lambda fields: fields["Shot"].update(sg_cut="number Cut"),
    "a list now": lambda fields: fields["Shot"].update(sg_cut="list Cut"),
    "several links": lambda fields: fields["Shot"].update(sg_lead="multi_entity:Asset Lead"),
    "no assets": lambda fields: fields.pop("Asset", None),
    "another table name": lambda fields: None,
}
"""What people do on their branches; the last is a setting."""
BASE: Fields = {
    "Shot": {"sg_cut": "text Cut", "sg_lead": "entity:Asset Lead", "sg_other": "text Other"},
    "Asset": {"code": "text Code"},
}


def edited(edits: list[str]) -> SiteSchema:
    fields = {code: dict(of) for code, of in BASE.items()}
    for edit in edits:
        EDITS[edit](fields)
    return site(fields)


def configure(studio: Studio, edits: list[str]) -> None:
    studio.configure(**{"entity_names": "Shot=clip"} if "another table name" in edits else {})


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """What every branch begins with: one revision."""
    studio = Studio(tmp_path_factory.mktemp("beginning") / "project")
    studio.follow(site(BASE), "0001")
    return studio


def team(
    beginning: Studio, folder: Path, databases: Databases, engine: str, branches: list[list[str]]
) -> tuple[Studio, list[str]]:
    """A project whose branches were each generated on a database of their own, and merged; with those databases."""
    base = beginning.copy(folder / "main", databases.new(engine))
    urls = []
    for number, edits in enumerate(branches, 1):
        mine = beginning.copy(folder / f"branch{number}", databases.new(engine))
        configure(mine, edits)
        mine.upgrade()
        mine.take(edited(edits))
        made = mine.revise("mine", rev_id=f"{number}001")
        if made is not None:
            mine.upgrade()
            (base.versions / made.name).write_bytes(made.read_bytes())
            urls.append(mine.url)
    configure(base, [edit for edits in branches for edit in edits])
    with undisturbed():
        if len(base.project().scripts.get_heads()) > 1:
            alembic.command.merge(base.config(), "heads", "both", rev_id="both")
    return base, urls


def settle(beginning: Studio, folder: Path, databases: Databases, engine: str, branches: list[list[str]]) -> str:
    """Bring a team's databases together; the message of the error that says why not, or nothing."""
    studio, urls = team(beginning, folder, databases, engine, branches)
    try:
        built = studio.built
    except (ContradictionError, FoldError) as error:
        with pytest.raises(type(error)):
            studio.upgrade()
        return str(error)
    studio.upgrade()
    differences = diff_structure(studio.structure(), created(databases, engine, built))
    assert [line for line in differences if "[differs between branches]" not in line] == []
    studio.take(edited([edit for edits in branches for edit in edits]))
    studio.revise("what is left", rev_id="left")
    for url in [studio.url, *urls]:
        before = studio.structure(url=url)
        try:
            studio.upgrade(url=url)
        except FoldError as error:
            assert studio.structure(url=url) == before
            return str(error)
        studio.check(url=url)
    assert len({str(sorted(studio.structure(url=url)["tables"])) for url in [studio.url, *urls]}) == 1
    assert studio.revise("nothing") is None
    return ""


CONTRADICTIONS = [
    (["a new text"], ["a new number"]),
    (["a number now"], ["a list now"]),
    (["a new text"], ["a new text"]),
    (["another table name"], ["a new text"]),
    (["a number now"], ["a number now"]),
]
SETTLED = [
    (["called A"], ["called B"]),
    (["retired"], ["called B"]),
    (["no assets"], ["several links"]),
    (["called A"], ["a new text"]),
    (["called A", "a new text"], ["called A"]),
    (["retired"], ["retired"]),
    (["called A"], ["called B"], ["retired"]),
]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
@pytest.mark.parametrize("branches", SETTLED, ids=str)
def test_branches_are_settled_by_one_more_revision(
    beginning: Studio, tmp_path: Path, databases: Databases, engine: str, branches: tuple[list[str], ...]
) -> None:
    assert settle(beginning, tmp_path, databases, engine, list(branches)) == ""


@pytest.mark.parametrize(
    "branches", CONTRADICTIONS, ids=lambda branches: " | ".join(e for edits in branches for e in edits)
)
def test_a_contradiction_is_one_error_with_its_remedy(
    beginning: Studio, tmp_path: Path, databases: Databases, branches: tuple[list[str], ...]
) -> None:
    for number, order in enumerate((branches, branches[::-1])):
        message = settle(beginning, tmp_path / str(number), databases, "sqlite", list(order))
        assert "evision" in message
        assert "generate" in message


edit_lists = st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=2, unique=True)


@given(branches=st.lists(edit_lists, min_size=2, max_size=3))
@example(branches=[["called A"], ["called B"]])
@example(branches=[["another table name"], ["a new text"]])
@settings(max_examples=8,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_any_branches_on_sqlite(
    beginning: Studio, tmp_path: Path, databases: Databases, branches: list[list[str]]
) -> None:
    shutil.rmtree(tmp_path, ignore_errors=True)
    tmp_path.mkdir()
    message = settle(beginning, tmp_path, databases, "sqlite", branches)
    assert not message or ("evision" in message and "generate" in message)
