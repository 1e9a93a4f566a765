"""Golden files: texts that a person has read and found right. The README.md beside them says what they are there for.

Nothing rewrites them. Where a text differs, the test fails with the difference and leaves the new text beside the
golden one, as ``NAME.new``: read the difference line by line, and if every line is meant, rename it.
"""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path


def assert_golden(path: Path, text: str) -> None:
    """Fail with the difference unless ``text`` is what the file holds."""
    new = path.with_name(path.name + ".new")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    if text == golden:
        new.unlink(missing_ok=True)
        return
    new.write_text(text, encoding="utf-8")
    lines = unified_diff(golden.splitlines(), text.splitlines(), path.name, new.name, n=1, lineterm="")
    raise AssertionError(
        f"{path.parent.name}/{path.name} would read otherwise; see tests/golden.py:\n" + "\n".join(lines)
    )
