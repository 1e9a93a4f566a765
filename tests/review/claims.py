"""A revision on a real database beside its review, for tests that hold what a rule says against what happens."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from reviewprojects import Made, codes, environment
from sqlalchemy.exc import DBAPIError
from structure import Structure, snapshot_structure

from sg_migrate.database.refusals import is_lock_timeout
from sg_migrate.site.schema import SiteSchema

ENGINES = ("sqlite", "postgresql", "mariadb")

_IMPATIENT = {
    "sqlite": "PRAGMA busy_timeout=0",
    "postgresql": "SET lock_timeout = '100ms'",
    "mariadb": "SET lock_wait_timeout = 0, innodb_lock_wait_timeout = 0",
}


@dataclass
class Ground:
    """The small project with a database that has its first revision and three rows in each of its tables."""

    made: Made
    engine: str
    url: str
    head: str = "r1"

    def fill(self) -> None:
        """Rows for Shot and Task."""
        self.execute(
            "INSERT INTO shot (id, code, sg_cut_in, sg_frames) VALUES (1, 'a', '12', 7), (2, 'b', '12 frames', 8),"
            " (3, 'c', NULL, 9)",
            "INSERT INTO task (id, name) VALUES (1, 'anim'), (2, 'comp'), (3, 'light')",
        )

    def write(self, upgrade: str, downgrade: str = "pass", *, ours: bool = True, top: str = "") -> set[str]:
        """One more revision, by hand; gives the codes of its review."""
        name = f"r{int(self.head[1:]) + 1}"
        self.made.write(name, upgrade, downgrade, on=self.head, ours=ours, top=top)
        self.head = name
        return self.review()

    def follow(self, site: SiteSchema) -> set[str]:
        """One more revision, generated; gives the codes of its review."""
        name = f"r{int(self.head[1:]) + 1}"
        self.made.follow(site, name)
        self.head = name
        return self.review()

    def take_back(self) -> None:
        """Delete the newest revision, which has not run or was downgraded."""
        (path,) = self.made.versions.glob(f"{self.head}_*.py")
        path.unlink()
        self.head = f"r{int(self.head[1:]) - 1}"

    def review(self) -> set[str]:
        return codes(self.made.review(self.head, self.engine))

    def review_here(self) -> set[str]:
        """The codes of the review that asks the database, too."""
        return codes(self.made.review(self.head, self.engine, self.url))

    def config(self) -> Config:
        return Config(str(self.made.ini), stdout=io.StringIO(), output_buffer=io.StringIO())

    def upgrade(self) -> None:
        self._run(lambda: alembic.command.upgrade(self.config(), "head"))

    def downgrade(self) -> None:
        self._run(lambda: alembic.command.downgrade(self.config(), "-1"))

    def check(self) -> None:
        """``alembic check``."""
        self._run(lambda: alembic.command.check(self.config()))

    def _run(self, command: Callable[[], object]) -> None:
        with environment(DATABASE_URL=self.url):
            command()

    @contextlib.contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection of somebody who does not wait for locks."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(_IMPATIENT[self.engine])
            connection.commit()
            yield connection

    def execute(self, *statements: str) -> None:
        with self.connected() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connected() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def value(self, query: str) -> Any:
        ((value,),) = self.rows(query)
        return value

    def waits(self, statement: str) -> bool:
        """Whether somebody else's statement would have to wait for a lock now; it changes nothing."""
        with self.connected() as connection:
            try:
                connection.exec_driver_sql(statement)
            except DBAPIError as error:
                if not is_lock_timeout(error):
                    raise
                return True
            finally:
                connection.rollback()
        return False

    def structure(self) -> Structure:
        return snapshot_structure(self.url, ignore=["alembic_version"])

    @property
    def version(self) -> str:
        """The revision that the database says it is at."""
        return str(self.value("SELECT version_num FROM alembic_version"))


@contextlib.contextmanager
def right_after(text: str, look: Callable[[sa.Connection], object]) -> Iterator[list[Any]]:
    """Inside, ``look`` runs after each statement with ``text`` in it, in its transaction; what it gives."""
    found: list[Any] = []
    looking = False

    def note(connection: sa.Connection, _: object, statement: str, *__: object) -> None:
        nonlocal looking
        if text in statement and not looking:
            looking = True
            try:
                found.append(look(connection))
            finally:
                looking = False

    sa.event.listen(sa.Engine, "after_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", note)
