"""Site texts are anybody's: none ends a string, starts a template, or hides anything in the file that Alembic runs."""

from __future__ import annotations

import ast
import re
import unicodedata
from pathlib import Path

import pytest
from engines import Databases
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from kept import REVISIONS
from sites import SAMPLES, changed, field, site
from structure import snapshot_structure
from studio import Studio

from sg_migrate import SiteSchema, load_schema
from sg_migrate.warehouse.comments import comment_for

JOINERS = "\u200c\u200d"
"""They join letters and emoji, and neither hide nor reorder anything; `repr` escapes them anyway."""


def audited(name: str, description: str, type_name: str) -> SiteSchema:
    kinds = {"sg_audit": "text", "sg_audits": "multi_entity"}
    fields = {code: field(f"Shot.{code}", kind, name=name, description=description) for code, kind in kinds.items()}
    return changed(site(Shot={"code": "text Code", **fields}), "Shot", name=type_name)


def comments_in(text: str) -> dict[str, str | None]:
    """The comment of every column and table in a revision's ``upgrade``, read from its syntax tree: nothing is run."""
    upgrade = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == "upgrade")
    found: dict[str, str | None] = {}
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func)
        keywords = {word.arg: word.value for word in call.keywords}
        if function == "sa.Column" and "info" in keywords:
            mark = ast.literal_eval(keywords["info"])["sg"]
            found[mark] = ast.literal_eval(keywords["comment"]) if "comment" in keywords else None
        elif function == "op.create_table":
            found[ast.literal_eval(keywords["info"])["sg"]] = (
                ast.literal_eval(keywords["comment"]) if "comment" in keywords else None
            )
    return found


def only_what_shows(text: str) -> None:
    """Neither control nor bidirectional nor other invisible characters, and no line ends but plain ones."""
    hidden = {
        c for c in text if c != "\n" and c not in JOINERS and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert not hidden, sorted(map(hex, map(ord, hidden)))


def only_ours_is_run(text: str) -> None:
    """The file calls Alembic's operations and SQLAlchemy's types, and imports nothing else."""
    tree = ast.parse(text)
    imported = {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {
        "typing.Sequence",
        "typing.Union",
        "alembic.op",
        "sqlalchemy",
        "sqlalchemy.dialects.mysql",
        "sqlalchemy.dialects.postgresql",
    }
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    plain = {re.sub(r"\(.*\)", "", name, flags=re.S).split(".")[0] for name in called}
    assert plain <= {"op", "sa", "mysql", "postgresql", "batch_op"}, plain


@pytest.mark.parametrize("path", sorted(REVISIONS.glob("*.py")), ids=lambda path: path.stem)
def test_the_samples(path: Path) -> None:
    """They hold the rubbish that the studio's security people typed in."""
    text = path.read_text(encoding="utf-8")
    only_what_shows(text)
    only_ours_is_run(text)


def test_the_comments_of_the_samples_reach_the_database(databases: Databases, tmp_path: Path) -> None:
    studio = Studio(tmp_path / "project", databases.new("postgresql"))
    schema = load_schema(SAMPLES[3]).schema
    studio.take(schema)
    revision = studio.revise("first")
    assert revision is not None
    studio.upgrade()
    found = comments_in(revision.read_text(encoding="utf-8"))
    tables = snapshot_structure(studio.url)["tables"]
    for table in ("note", "playlist"):
        fields = [f for f in schema.entity_types[table.capitalize()].fields.values() if "sg_audit" in f.code]
        assert len(fields) >= 7
        for one in fields:
            wanted = comment_for(one.name or one.code, one.description)
            assert tables[table]["columns"][one.code]["comment"] == wanted
            assert found[f"{one} {one.data_type}"] == wanted


hostile = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="\"'\\\n\r\t%${}<>#|`;-:/*xnuN\u202e\u2066\u200b\x00\x1b\u2028\ud800😀", max_size=60),
    st.sampled_from(['"""', "'''", "\\", '\\"""', "\\N{BULLET}", "${1/0}", "<% raise %>", "#}", "\n\nimport os\n"]),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=hostile, description=hostile, type_name=hostile)
@example(name='"', description='"""\nimport os\n"""', type_name="\\")
@example(name="\\", description="\n% for x in y:\n${x}\n## gone", type_name='"""')
@example(name="[retired] not so", description="\u202egnp.exe", type_name="a\x00b")
def test_any_text(databases: Databases, tmp_path: Path, name: str, description: str, type_name: str) -> None:
    folder = tmp_path / f"project{len(list(tmp_path.iterdir()))}"
    studio = Studio(folder, f"sqlite:///{folder}.db")
    texts = [text.encode("utf-8", "replace").decode() for text in (name, description, type_name)]
    studio.take(audited(*texts))
    revision = studio.revise("first")
    assert revision is not None
    text = revision.read_text(encoding="utf-8")
    only_what_shows(text)
    only_ours_is_run(text)
    found = comments_in(text)
    assert found["Shot.sg_audit text"] == comment_for(texts[0] or "sg_audit", texts[1])
    assert found["Shot.sg_audits multi_entity"] == comment_for(texts[0] or "sg_audits", texts[1])
    assert found["Shot"] == comment_for(texts[2] or "Shot")
    studio.upgrade()
    studio.check()
