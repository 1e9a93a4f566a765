"""MySQL 8 itself is not at hand: everything compiles for it, and what it lacks does not occur."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sites import SAMPLES
from studio import Studio

from sg_migrate import load_schema

SETTINGS = [{}, {"foreign_keys": "true", "multi_entity": "json"}]
MARIADB_ONLY = re.compile(
    r"\bIF (NOT )?EXISTS\b|\bRETURNING\b|\bJSON_VALID\b|\bUUID\b \(|`?longtext`? check", re.IGNORECASE
)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_operation_compiles_up_and_down(tmp_path: Path, settings: dict[str, str]) -> None:
    studio = Studio(tmp_path / "project", "mysql+pymysql://nobody@127.0.0.1:1/nowhere", **settings)
    for number, state in enumerate(SAMPLES[::2] if settings else SAMPLES, 1):
        studio.follow(load_schema(state).schema, f"r{number}")
    up = without_texts(studio.script())
    down = without_texts(studio.script(revision="head:base", down=True))
    assert up.count("CREATE TABLE") == down.count("DROP TABLE") + 1  # alembic_version stays
    assert re.search(r"^\s+\w+ JSON( COMMENT|,)", up, re.MULTILINE)
    assert "DATETIME(6)" in up
    assert "LONGTEXT" in up
    assert "CHARSET=utf8mb4" in up
    for script in (up, down):
        assert not MARIADB_ONLY.findall(script)


def without_texts(script: str) -> str:
    """A script with all its texts empty: what people write on a site looks like anything."""
    return re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", script)
