"""The documentation's patches, applied as a reader would: each block's old lines must be there, exactly once."""

from __future__ import annotations

import re
from pathlib import Path

from sites import REPOSITORY

PAGE = REPOSITORY / "docs" / "adoption.md"


def patches(heading: str) -> list[tuple[str, str]]:
    """The old and the new text of each ``diff`` block in a section of docs/adoption.md."""
    section = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = []
    for block in re.findall(r"^```diff\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        lines = block.splitlines()
        old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
        new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
        found.append((old, new))
    return found


def apply(heading: str, *files: Path) -> None:
    """Apply every patch of a section to the one of ``files`` that has its old lines."""
    for old, new in patches(heading):
        (target,) = [path for path in files if path.read_text("utf-8").count(old) == 1]
        target.write_text(target.read_text("utf-8").replace(old, new), "utf-8")
