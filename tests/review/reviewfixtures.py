"""A pytest plugin: a module that says ``pytest_plugins = ["reviewfixtures"]`` has these fixtures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from claims import Ground
from engines import Databases
from reviewed import Reviewed


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    """The small project with its first revision; copy it before changing it."""
    return Reviewed.make(tmp_path_factory.mktemp("small") / "project")


@pytest.fixture
def small(base: Reviewed, tmp_path: Path) -> Reviewed:
    """A copy of the small project."""
    return base.twin(tmp_path / "small")


@pytest.fixture
def ground(base: Reviewed, databases: Databases, tmp_path: Path) -> Callable[[str], Ground]:
    """Gives a copy of the small project with a database of an engine, as often as it is asked."""
    numbers = itertools.count(1)

    def given(engine: str) -> Ground:
        return Ground.on(base, tmp_path / f"ground{next(numbers)}", databases.new(engine))

    return given
