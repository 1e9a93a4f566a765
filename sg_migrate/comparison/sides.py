"""The two sides of a difference: what a name such as ``snapshot``, ``db`` or ``HEAD~1:schema.json`` stands for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from sg_migrate.comparison.difference import Difference, difference, warehouse_difference
from sg_migrate.errors import NoProjectError, RevisionError, SourceError
from sg_migrate.revisions.project import Project
from sg_migrate.site.event_log import with_log
from sg_migrate.site.events import NO_EVENTS, SiteEvents
from sg_migrate.site.ledger import active
from sg_migrate.site.live import connect_from_environment, read_site
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge
from sg_migrate.site.sources import load_schema, parse
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.state import State
from sg_migrate.warehouse.transition import transition


@dataclass(frozen=True, slots=True)
class Side:
    """One side: what was read, with the retired entries where there are any, or what is built."""

    name: str
    active: SiteSchema | None = None
    ledger: SiteSchema | None = None
    state: State | None = None
    events: SiteEvents = NO_EVENTS


class Sides:
    """Reads both sides and brings them to forms that can be compared.

    Args:
        find_project: gives the project, when a side is something of it.
        url: the database that ``db`` stands for; the project's own when left out.
    """

    def __init__(self, find_project: Callable[[], Project], url: str | None = None) -> None:
        self._find_project = find_project
        self.url = url

    @cached_property
    def project(self) -> Project:
        """The project; two files are compared without one."""
        return self._find_project()

    def difference(self, old_name: str, new_name: str) -> Difference:
        """What changed from one side to the other.

        Args:
            old_name: ``snapshot``, ``live``, ``db``, ``built``, a file, or ``REV:FILE`` for a file in a git revision.
            new_name: one of the same.

        Raises:
            SgMigrateError: one of them cannot be read.
        """
        old, new = self._shown(self._read(old_name)), self._shown(self._read(new_name))
        found = self._between(old, new)
        return found.attributed(old.events | new.events)

    def _shown(self, side: Side) -> Side:
        """A side without the texts that the project's settings redact, where there is a project."""
        try:
            show = self.project.shown
        except NoProjectError:
            return side
        return replace(
            side,
            active=show(side.active) if side.active else None,
            ledger=show(side.ledger) if side.ledger else None,
        )

    def _between(self, old: Side, new: Side) -> Difference:
        if old.state is not None or new.state is not None:
            return self._of_warehouse(old, new)
        if old.ledger is not None and new.ledger is None:
            before, after = old.ledger, self._merged(old.ledger, new)
        elif new.ledger is not None and old.ledger is None:
            assert old.active is not None
            before, after = old.active, active(new.ledger)
        else:
            before, after = _schema(old), _schema(new)
        return difference(before, after, old.name, new.name)

    def _read(self, name: str) -> Side:
        if name == "snapshot":
            path = self.project.snapshot_path
            return Side(_shown(path), ledger=self.project.required_snapshot().schema, events=self.project.events())
        if name == "live":
            return self._live()
        if name == "built":
            return Side("built", state=self.project.built)
        if name == "db":
            return self._database()
        return self._file(name)

    def _live(self) -> Side:
        """The site, with what its log says beyond the events beside the snapshot."""
        connection = connect_from_environment()
        known, people = NO_EVENTS, True
        with suppress(NoProjectError):
            known, people = self.project.events(), self.project.settings.people
        read = with_log(read_site(connection), connection, known, people=people)
        return Side(f"live ({read.schema.host})", active=read.schema, events=read.events)

    def _database(self) -> Side:
        with self.project.database(self.url or self.project.url) as (database, _):
            assert database is not None
            if not database.heads:
                raise RevisionError("The database has no revision yet, so there is nothing to compare.")
            built = self.project.history(database.dialect).built(database.heads)
            return Side(f"db ({', '.join(database.heads)})", state=built)

    def _file(self, name: str) -> Side:
        revision, colon, path = name.partition(":")
        is_git = bool(colon) and len(revision) > 1 and not Path(name).exists()
        loaded = parse(_git_show(revision, path), name) if is_git else load_schema(name)
        return Side(name, active=loaded.schema, ledger=loaded.ledger)

    def _of_warehouse(self, old: Side, new: Side) -> Difference:
        """Both sides as the warehouse has or would have them: a built state knows no more of a site."""
        state = old.state if old.state is not None else new.state
        assert state is not None
        states = []
        for side in (old, new):
            if side.state is not None:
                states.append(side.state)
            else:
                ledger = side.ledger or self._merged(self._known(), side)
                states.append(build_state(ledger, self.project.settings, state))
        return warehouse_difference(transition(*states), self._known(), old.name, new.name)

    def _known(self) -> SiteSchema:
        return self.project.site()

    def _merged(self, ledger: SiteSchema, side: Side) -> SiteSchema:
        """What the ledger would say after this reading: what is no longer there is retired."""
        assert side.active is not None
        snapshot = Snapshot(ledger)
        return merge(snapshot, side.active, today=date.today(), rebind=True, accept_retirements=True).schema


def _schema(side: Side) -> SiteSchema:
    schema = side.ledger or side.active
    assert schema is not None
    return schema


def _git_show(revision: str, path: str) -> str:
    name = f"{revision}:{path}"
    try:
        shown = subprocess.run(["git", "show", "--end-of-options", name], capture_output=True, check=False)
    except FileNotFoundError:
        raise SourceError(name, "there is no such file, and no git to ask.") from None
    if shown.returncode:
        said = shown.stderr.decode(errors="replace").strip().splitlines() or ["git show failed"]
        raise SourceError(
            name, f"{said[0].rstrip('.')}.", "A path after a git revision is counted from the top of the repository."
        )
    try:
        return shown.stdout.decode("utf-8")
    except UnicodeDecodeError:
        raise SourceError(name, "this is no text.", "Write it to a file first, and name that.") from None


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name
