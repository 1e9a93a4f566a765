"""The revisions of the sample schemas, as a person has read them, and a project that has them."""

from __future__ import annotations

import shutil
from pathlib import Path

from sites import SAMPLES
from studio import Studio

REVISIONS = Path(__file__).parent / "revisions"


def kept_project(folder: Path, url: str, steps: int) -> Studio:
    """The first steps of the sample schemas, not generated anew: snapshot and revisions, and an empty database."""
    studio = Studio(folder, url)
    for source, revision in zip(SAMPLES[:steps], sorted(REVISIONS.glob("*.py")), strict=False):
        studio.take(source)
        shutil.copy(revision, studio.versions)
    studio.number = steps
    return studio
