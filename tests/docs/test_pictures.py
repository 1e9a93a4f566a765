"""The pictures of README and docs are what one would get today."""

from __future__ import annotations

import json
from pathlib import Path

import pictures
from sites import REPOSITORY


def test_the_pictures_are_current(tmp_path: Path) -> None:
    story = pictures.Story(tmp_path / "warehouse")
    assert json.loads(pictures.MADE_FROM.read_text()) == pictures.digests(story), (
        "they are made anew by `make pictures`"
    )
    assert (pictures.FOLDER / "monday.svg").read_text("utf-8") == pictures.terminal(story.said)


def test_each_picture_is_small_and_shown_somewhere() -> None:
    pages = "".join(path.read_text("utf-8") for path in [*(REPOSITORY / "docs").glob("*.md"), REPOSITORY / "README.md"])
    for name in (*pictures.PAGES, "monday.svg"):
        assert (pictures.FOLDER / name).stat().st_size < 150_000
        assert f"pictures/{name}" in pages, name
