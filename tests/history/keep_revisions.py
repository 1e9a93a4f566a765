"""Writes the revisions of the sample schemas into the folder ``revisions``, for review and for `test_walk`.

Run it when a change of the product is meant to change them, and read the difference before committing it:
``.venv/bin/python tests/history/keep_revisions.py``
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import KEPT, SAMPLES, History


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder, "project"), f"sqlite:///{folder}/warehouse.db")
        for source in SAMPLES:
            history.take(source)
            history.revise(source.stem)
            history.upgrade()
        for old in KEPT.glob("*.py"):
            old.unlink()
        for name, text in history.text_of().items():
            (KEPT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
