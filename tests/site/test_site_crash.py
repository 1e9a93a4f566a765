"""A writer killed at any moment leaves the old snapshot or the new one, whole; the same command then succeeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crashing_writer.py")


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_writers(tmp_path: Path) -> None:
    answer = subprocess.run([sys.executable, PROGRAM, tmp_path], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    trials = json.loads(answer.stdout)
    histogram = Counter((point, left) for point, left, _ in trials)
    print(*sorted(histogram.items()), sep="\n")
    assert {key: count for key, count in histogram.items() if key[0] != "at random"} == {
        ("before the file's fsync", "old"): 10,
        ("after the file's fsync", "old"): 10,
        ("before the rename", "old"): 10,
        ("after the rename", "new"): 10,
        ("after the folder's fsync", "new"): 10,
    }
    assert {left for _, left, _ in trials} == {"old", "new"}
    assert {after for _, _, after in trials} == {"new"}
    assert len(trials) == 90
    leftovers = [path.name for path in tmp_path.iterdir() if path.name != "site_schema.json"]
    assert all(name.startswith(".site_schema.json.") and name.endswith(".tmp") for name in leftovers)
