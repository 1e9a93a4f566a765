"""The benchmarks run, on something small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from engines import why_missing


@pytest.mark.long
@pytest.mark.skipif(why_missing("postgresql") is not None, reason="no PostgreSQL server")
def test_the_large_table(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "large_table.py"
    finished = subprocess.run(
        [sys.executable, str(script), "--rows", "150000"], cwd=tmp_path, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.count(" stock ") == 4
    assert "142,500 values carried over, 7,500 did not convert" in finished.stdout


@pytest.mark.long
def test_beside_stock_alembic(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "beside_stock.py"
    arguments = ["--tiny", "--engine", "sqlite", "--scale", "1", "--rounds", "1"]
    finished = subprocess.run([sys.executable, str(script), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert "sqlite x1, 355 fields: first revision " in finished.stdout
    assert "second upgrade " in finished.stdout
