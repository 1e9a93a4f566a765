"""The replay is what Alembic does: branches that touch the same things, merged, on databases of every path."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
from engines import Databases
from harness import History, created, undisturbed
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structure import diff_structure
from studio import site

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


def configure(history: History, edits: list[str]) -> None:
    text = history.ini.read_text(encoding="utf-8").replace("entity_names = Shot=clip\n", "")
    if "another table name" in edits:
        text = text.replace("[sg_migrate]\n", "[sg_migrate]\nentity_names = Shot=clip\n")
    history.ini.write_text(text, encoding="utf-8")


def team(folder: Path, databases: Databases, engine: str, branches: list[list[str]]) -> tuple[History, list[str]]:
    """A history whose branches were each generated on a database of their own, and merged; with those databases."""
    base = History(folder / "main", databases.new(engine))
    base.take(site(BASE))
    base.revise("base")
    shutil.copytree(base.folder, folder / "base")
    urls = []
    for number, edits in enumerate(branches):
        shutil.copytree(folder / "base", folder / f"branch{number}")
        mine = History.__new__(History)
        mine.folder, mine.ini = folder / f"branch{number}", folder / f"branch{number}" / "alembic.ini"
        mine.versions, mine.number = mine.folder / "migrations" / "versions", 10 * (number + 1)
        mine.url = databases.new(engine)
        configure(mine, edits)
        mine.upgrade("0001")
        mine.take(edited(edits))
        made = mine.revise("mine")
        if made is not None:
            mine.upgrade()
            (base.versions / made.name).write_bytes(made.read_bytes())
            urls.append(mine.url)
    configure(base, [edit for edits in branches for edit in edits])
    with undisturbed():
        if len(base.project().scripts.get_heads()) > 1:
            alembic.command.merge(base.config(), "heads", "both", rev_id="both")
    return base, urls


def settle(folder: Path, databases: Databases, engine: str, branches: list[list[str]]) -> str:
    """Bring a team's databases together; the message of the error that says why not, or nothing."""
    history, urls = team(folder, databases, engine, branches)
    try:
        built = history.built()
    except (ContradictionError, FoldError) as error:
        with pytest.raises(type(error)):
            history.upgrade()
        return str(error)
    history.upgrade()
    assert diff_structure(history.structure(), created(databases, engine, built)) == [] or engine == "postgresql"
    history.take(edited([edit for edits in branches for edit in edits]))
    history.number = 90
    history.revise("what is left")
    for url in [history.url, *urls]:
        before = history.structure(url=url)
        try:
            history.upgrade(url=url)
        except FoldError as error:
            assert history.structure(url=url) == before
            return str(error)
        history.check(url=url)
    assert len({str(sorted(history.structure(url=url)["tables"])) for url in [history.url, *urls]}) == 1
    history.number = 91
    assert history.revise("nothing") is None
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


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("branches", SETTLED, ids=str)
def test_branches_are_settled_by_one_more_revision(
    tmp_path: Path, databases: Databases, engine: str, branches: tuple[list[str], ...]
) -> None:
    assert settle(tmp_path, databases, engine, list(branches)) == ""


@pytest.mark.parametrize(
    "branches", CONTRADICTIONS, ids=lambda branches: " | ".join(e for edits in branches for e in edits)
)
def test_a_contradiction_is_one_error_with_its_remedy(
    tmp_path: Path, databases: Databases, branches: tuple[list[str], ...]
) -> None:
    for number, order in enumerate((branches, branches[::-1])):
        message = settle(tmp_path / str(number), databases, "sqlite", list(order))
        assert "evision" in message
        assert "generate" in message


edit_lists = st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=2, unique=True)


@given(branches=st.lists(edit_lists, min_size=2, max_size=3))
@example(branches=[["called A"], ["called B"]])
@example(branches=[["another table name"], ["a new text"]])
@settings(max_examples=8,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_any_branches_on_sqlite(tmp_path: Path, databases: Databases, branches: list[list[str]]) -> None:
    shutil.rmtree(tmp_path, ignore_errors=True)
    tmp_path.mkdir()
    message = settle(tmp_path, databases, "sqlite", branches)
    assert not message or ("evision" in message and "generate" in message)
