"""Scripts that `sg-migrate models` writes, as modules; and the tables of models, as an engine has them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from structure import Structure, read_structure, snapshot_structure

from sg_migrate.models.script import Style, render_models
from sg_migrate.models.sources import plan_for

_NUMBERS = itertools.count()


@contextmanager
def script_of(text: str) -> Iterator[ModuleType]:
    """The module of a script, which SQLAlchemy finds by its name, as it would a file's."""
    module = ModuleType(f"script_{next(_NUMBERS)}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, module.__name__, "exec"), vars(module))  # noqa: S102 - it is what is tested
        yield module
    finally:
        del sys.modules[module.__name__]


def render(source: Any, style: Style = "declarative", **arguments: Any) -> str:
    """The script of a source."""
    return render_models(plan_for(source, **arguments), style)


def created(metadata: sa.MetaData, folder: Path) -> Structure:
    """What `create_all` makes of tables on SQLite."""
    path = folder / f"created{next(_NUMBERS)}.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return snapshot_structure(f"sqlite:///{path}")


def created_on(metadata: sa.MetaData, url: str) -> Structure:
    """What `create_all` makes of tables on an engine."""
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    with engine.connect() as connection:
        found = read_structure(connection)
    engine.dispose()
    return found
