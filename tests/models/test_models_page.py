"""docs/models.md is true: its examples run, in their order, on every engine."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
import sqlalchemy as sa
from engines import Databases
from tracker import write_tracker

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_the_examples_run(
    databases: Databases, engine_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tracker(tmp_path / "site.json")
    monkeypatch.chdir(tmp_path)
    engine = sa.create_engine(databases.new(engine_name))
    names = {"engine": engine}
    text = PAGE.read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            line = text[: match.start(1)].count("\n")
            exec(compile("\n" * line + match[1], str(PAGE), "exec"), names)  # noqa: S102 - our own page
    names["session"].close()  # type: ignore[attr-defined]
    engine.dispose()
