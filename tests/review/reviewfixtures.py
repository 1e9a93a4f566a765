"""A pytest plugin: a module that says ``pytest_plugins = ["reviewfixtures"]`` has these fixtures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from claims import ROWS, Ground
from engines import Databases
from reviewed import Reviewed, local


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """The small project with its first revision; copy it before changing it."""
    return Reviewed.make(tmp_path_factory.mktemp("small") / "project")


@pytest.fixture
def small(base: Reviewed, tmp_path: Path) -> Reviewed:
    """A copy of the small project."""
    return base.twin(tmp_path / "small")


@pytest.fixture(scope="session")
def filled(base: Reviewed, tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """The small project with rows in its SQLite file, which is copied with it."""
    made = base.twin(tmp_path_factory.mktemp("filled") / "project")
    made.upgrade()
    made.execute(*ROWS)
    return made


@pytest.fixture
def ground(base: Reviewed, filled: Reviewed, databases: Databases, tmp_path: Path) -> Callable[[str], Ground]:
    """Gives a copy of the small project with a database of an engine, as often as it is asked."""
    numbers = itertools.count(1)

    def given(engine: str) -> Ground:
        folder = tmp_path / f"ground{next(numbers)}"
        if engine == "sqlite":
            return Ground.on(filled, folder, local(folder))
        made = Ground.on(base, folder, databases.new(engine))
        made.upgrade()
        made.execute(*ROWS)
        return made

    return given
