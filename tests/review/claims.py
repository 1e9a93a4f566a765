"""A revision on a real database beside its review, for tests that hold what a rule says against what happens."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from reviewed import Reviewed, codes, edit
from sqlalchemy.exc import DBAPIError

from sg_migrate.database.refusals import is_lock_timeout
from sg_migrate.errors import DatabaseError
from sg_migrate.reports.text import text_report
from sg_migrate.review.findings import Finding
from sg_migrate.site.schema import SiteSchema

if TYPE_CHECKING:
    from typing_extensions import Self

ENGINES = ("sqlite", "postgresql", "mariadb")
every_engine = pytest.mark.parametrize("engine", ENGINES)

_IMPATIENT = {
    "sqlite": "PRAGMA busy_timeout=0",
    "postgresql": "SET lock_timeout = '100ms'",
    "mariadb": "SET lock_wait_timeout = 0, innodb_lock_wait_timeout = 0",
}
ROWS = (
    "INSERT INTO shot (id, code, sg_cut_in, sg_frames) VALUES (1, 'a', '12', 7), (2, 'b', '12 frames', 8),"
    " (3, 'c', NULL, 9)",
    "INSERT INTO task (id, name) VALUES (1, 'anim'), (2, 'comp'), (3, 'light')",
)


class Ground(Reviewed):
    """The small project on a database that has its first revision, and three rows in Shot and in Task."""

    head = "r1"

    @classmethod
    def on(cls, base: Reviewed, folder: Path, url: str) -> Self:
        """A copy of ``base`` on a database, which alembic.ini names, too."""
        shutil.copytree(base.folder, folder)
        ground = cls.at(folder, url)
        edit(ground.ini, "sqlite:///warehouse.db", url)
        return ground

    @property
    def engine(self) -> str:
        return sa.make_url(self.url).get_backend_name()

    def by_hand(self, upgrade: str, downgrade: str = "pass", *, ours: bool = True, top: str = "") -> set[str]:
        """One more revision, written by hand; the codes of its review."""
        before = self._next()
        self.write(self.head, upgrade, downgrade, on=before, ours=ours, top=top)
        return self.codes()

    def generated(self, schema: SiteSchema) -> set[str]:
        """One more revision, generated for a site; the codes of its review."""
        self._next()
        self.follow(schema, self.head)
        return self.codes()

    def revises(self) -> set[str] | None:
        """One more revision for the snapshot and the settings as they are; the codes of its review, if there is one."""
        before = self.head
        self._next()
        done = self.sg_migrate("revision", "-m", self.head, "--rev-id", self.head)
        if self.head not in self.project().revision_ids():
            self.head = before
            assert done.exit_code == 0, done.output
            return None
        return self.codes()

    def found_here(self) -> set[str]:
        """The codes of the newest revision's review, as the database is asked."""
        return codes(self.review(self.head, self.engine, self.url))

    def said(self) -> str:
        """The newest revision's review as text, as the database is asked."""
        return "\n".join(line for line, _ in text_report([self.review(self.head, self.engine, self.url)]))

    def _next(self) -> str:
        before, self.head = self.head, f"r{int(self.head[1:]) + 1}"
        return before

    def take_back(self) -> None:
        """Delete the newest revision, which has not run or was downgraded."""
        self.revision(self.head).unlink()
        self.head = f"r{int(self.head[1:]) - 1}"

    def codes(self) -> set[str]:
        """What the newest revision's review finds, without asking the database."""
        return codes(self.review(self.head, self.engine))

    def found(self, code: str) -> Finding:
        """The one finding of a rule about the newest revision, as the database is asked."""
        (found,) = (one for one in self.review(self.head, self.engine, self.url).findings if one.rule.code == code)
        return found

    def refuses(self) -> None:
        """The upgrade stops, and the revision counts as not run."""
        before = self.version
        with pytest.raises(DatabaseError):
            self.upgrade()
        assert self.version == before

    @property
    def version(self) -> str:
        """The revision that the database says it is at."""
        return str(self.value("SELECT version_num FROM alembic_version"))

    def waits(self, statement: str) -> bool:
        """Whether somebody else's statement would have to wait for a lock now; it changes nothing."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(_IMPATIENT[self.engine])
            connection.commit()
            try:
                connection.exec_driver_sql(statement)
            except DBAPIError as error:
                if not is_lock_timeout(error):
                    raise
                return True
            finally:
                connection.rollback()
        return False


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
