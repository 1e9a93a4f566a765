"""A pytest plugin: a module that says ``pytest_plugins = ["reviewfixtures"]`` has these fixtures."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from claims import Ground
from engines import Databases
from reviewprojects import Made, make


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The small project with its first revision; copy it before changing it."""
    return make(tmp_path_factory.mktemp("small") / "project")


@pytest.fixture
def small(base: Made, tmp_path: Path) -> Made:
    """A copy of the small project."""
    return Made(Path(shutil.copytree(base.folder, tmp_path / "small")))


@pytest.fixture
def ground(small: Made, databases: Databases) -> Callable[[str], Ground]:
    """Gives the small project with a database of an engine, as often as it is asked; the revisions are shared."""

    def given(engine: str) -> Ground:
        ground = Ground(small, engine, small.upgrade("r1", databases.new(engine)))
        ground.fill()
        return ground

    return given
