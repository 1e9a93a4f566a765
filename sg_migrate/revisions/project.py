"""An Alembic project with the site's tables in it: its settings, its snapshot, and what its revisions have built."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from sg_migrate.alembic_log import quiet
from sg_migrate.errors import (
    DatabaseUnavailableError,
    LostRevisionError,
    NoProjectError,
    SettingsError,
    SgMigrateError,
    SnapshotError,
    SquashedRevisionError,
)
from sg_migrate.revisions.loading import load_revisions
from sg_migrate.revisions.replay import ANY, History
from sg_migrate.settings import Settings, read_settings
from sg_migrate.site.events import NO_EVENTS, SiteEvents, events_path, read_events
from sg_migrate.site.redaction import redacted
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot, read_snapshot
from sg_migrate.warehouse.model import build_state
from sg_migrate.warehouse.names_meant import check_names, meaningless
from sg_migrate.warehouse.state import State

if TYPE_CHECKING:
    from sg_migrate.database.reading import Database

log = logging.getLogger("sg_migrate")


class Project:
    """An Alembic project; needs neither a database nor a site.

    Args:
        config: Alembic's configuration.
        overrides: settings for this run, by name; they stand above the files'.
        scripts: the script directory, where it is known already.

    Raises:
        SettingsError: a setting is unknown or has an impossible value.
    """

    def __init__(
        self, config: Config, overrides: Mapping[str, str] | None = None, scripts: ScriptDirectory | None = None
    ) -> None:
        self.config = config
        self.settings = read_settings(config, overrides)  # first: it says what is wrong in the files
        self._scripts = scripts or ScriptDirectory.from_config(config)
        self._histories: dict[str, History] = {}

    @classmethod
    def find(cls, ini: Path, overrides: Mapping[str, str] | None = None) -> Project:
        """The project of an alembic.ini. Raises `NoProjectError` when there is none."""
        if not ini.is_file():
            raise NoProjectError(str(ini))
        try:
            return cls(Config(str(ini), toml_file=str(ini.parent / "pyproject.toml")), overrides)
        except SgMigrateError:
            raise
        except CommandError as error:
            raise NoProjectError(str(ini), str(error)) from None

    @cached_property
    def scripts(self) -> ScriptDirectory:
        """The revisions. Raises ``BrokenRevisionError``."""
        return load_revisions(self._scripts)

    @property
    def url(self) -> str:
        """The database: ``DATABASE_URL``, or alembic.ini's ``sqlalchemy.url``. Raises `SettingsError`.

        ``config.attributes["sg_url"]`` stands above both: `sg_migrate.revisions.generate` needs no database.
        """
        url = self.config.attributes.get("sg_url") or os.environ.get("DATABASE_URL")
        url = url or self.config.get_main_option("sqlalchemy.url")
        if not url:
            raise SettingsError(
                "No database is set: DATABASE_URL in the environment, or sqlalchemy.url in alembic.ini."
            )
        return url

    @property
    def explicit_url(self) -> str | None:
        """The database that ``DATABASE_URL`` asks for, which is not left out where it cannot be reached."""
        return os.environ.get("DATABASE_URL") or None

    @property
    def engine_options(self) -> dict[str, str]:
        """Alembic's section of alembic.ini, which has SQLAlchemy's options too."""
        return self.config.get_section(self.config.config_ini_section, {})

    @property
    def dialect(self) -> str:
        """The dialect of the project's database, by its address alone; SQLite where there is none."""
        from sg_migrate.database.reading import dialect_of

        try:
            return dialect_of(self.url) or "sqlite"
        except SettingsError:
            return "sqlite"

    @contextmanager
    def database(self, url: str | None = None) -> Iterator[tuple[Database | None, str]]:
        """The database to ask, which is only read: ``url``, or else the project's own if it can be reached.

        Args:
            url: a database that the user asked for; ``None`` leaves the choice to DATABASE_URL and alembic.ini.

        Yields:
            The database, or ``None`` with the reason why there is none to ask.

        Raises:
            DatabaseUnavailableError: ``url`` was given and cannot be reached.
        """
        from sg_migrate.database.reading import opened

        with ExitStack() as stack:
            database, reason = None, ""
            try:
                opening = opened(url or self.url, self.engine_options, self.settings.schema)
                database = stack.enter_context(opening)
            except SettingsError:
                reason = "none is set"
            except DatabaseUnavailableError as error:
                if url is not None:
                    raise
                reason = f"{error.url}: {error.problem}"
            yield database, reason

    @property
    def snapshot_path(self) -> Path:
        """The snapshot file."""
        return Path(self._scripts.dir, self.settings.snapshot)

    @property
    def events_path(self) -> Path:
        """The file of the site's events, beside the snapshot."""
        return events_path(self.snapshot_path)

    def events(self) -> SiteEvents:
        """What is known of who changed the site; with what was read of it and is not written yet.

        Names of people are not in it where the settings leave them out. Raises ``EventsFileError``.
        """
        new: SiteEvents = self.config.attributes.get("sg_events", NO_EVENTS)
        found = read_events(self.events_path) | new
        return found if self.settings.people else found.without_people()

    def stored_snapshot(self) -> Snapshot | None:
        """The snapshot file's content, or ``None`` when there is no file yet. Raises ``SnapshotError``.

        ``config.attributes["sg_snapshot"]`` stands above the file: what was read from the site and is not written yet.
        """
        given: Snapshot | None = self.config.attributes.get("sg_snapshot")
        if given is not None:
            return given
        return read_snapshot(self.snapshot_path) if self.snapshot_path.exists() else None

    def required_snapshot(self) -> Snapshot:
        """The snapshot file's content. Raises ``SnapshotError``, also when there is no file."""
        stored = self.stored_snapshot()
        if stored is None:
            raise SnapshotError(str(self.snapshot_path), "there is no snapshot yet.", "Make one: sg-migrate snapshot.")
        return stored

    def shown(self, site: SiteSchema) -> SiteSchema:
        """A schema without the texts that the settings redact: what may be written and shown of it."""
        return redacted(site, self.settings.redact)

    def site(self) -> SiteSchema:
        """What is known of the site, as it may be shown; empty without a snapshot. Raises ``SnapshotError``."""
        stored = self.stored_snapshot()
        return self.shown(stored.schema) if stored else SiteSchema()

    def revision_ids(self) -> set[str]:
        """The ids of all revisions of this history."""
        return {script.revision for script in self.scripts.walk_revisions()}

    def check_heads(self, heads: Iterable[str]) -> None:
        """Raise `LostRevisionError` if a database is at a revision that this project does not have."""
        lost = sorted(set(heads) - self.revision_ids())
        for script in self.scripts.walk_revisions() if lost else ():
            if lost[0] in getattr(script.module, "sg_replaces", ()):
                raise SquashedRevisionError(lost[0], script.revision, str(Path(self._scripts.versions)))
        if lost:
            raise LostRevisionError(lost, str(Path(self._scripts.versions)))

    def heads_in(self, connection: sa.Connection) -> tuple[str, ...]:
        """The revisions that a database is at. Raises `LostRevisionError`."""
        with quiet():
            found = tuple(sorted(MigrationContext.configure(connection).get_current_heads()))
        self.check_heads(found)
        return found

    def history(self, dialect: str = ANY) -> History:
        """The revisions as one dialect runs them; read once for each."""
        if dialect not in self._histories:
            self._histories[dialect] = History(self.scripts, dialect)
        return self._histories[dialect]

    @property
    def built(self) -> State:
        """What the revisions up to the heads have built."""
        return self.history().built()

    def model(self, site: SiteSchema) -> State:
        """What the warehouse of this ledger should look like. Raises `UnknownNameError`.

        ``config.attributes["sg_model"]`` stands above it: a warehouse that is taken over as it is.
        """
        given: State | None = self.config.attributes.get("sg_model")
        if given is not None:
            return given
        check_names(site, self.settings)
        for note in meaningless(site, self.settings):
            _warn_once(note)
        return build_state(site, self.settings, self.built)

    def digest(self, snapshot: Snapshot) -> str:
        """What a revision that leads to this snapshot carries as ``sg_digest``: 16 hexadecimal digits."""
        if "sg_model" in self.config.attributes:
            return "baseline"
        shown = replace(snapshot, schema=self.shown(snapshot.schema))
        content = shown.digest(self.settings.track, foreign_keys=self.settings.foreign_keys)
        return hashlib.sha256(f"{content} {self.settings.shape()}".encode()).hexdigest()[:16]


@cache
def _warn_once(text: str) -> None:
    """On the log, once in a process: a command may build the model several times."""
    log.warning(text)


def overrides(arguments: Iterable[str]) -> dict[str, str]:
    """The settings among the arguments of ``-x sg_KEY=VALUE``, by KEY; others are an application's own.

    One that has the name of a setting without ``sg_`` is said on the log: it counts for nothing.
    """
    found = {}
    for key, _, value in (argument.partition("=") for argument in arguments):
        if key.startswith("sg_"):
            found[key.removeprefix("sg_")] = value
        elif key in {setting.name for setting in fields(Settings)}:
            log.warning("-x %s=... is no setting of sg_migrate and counts for nothing; was it -x sg_%s=...?", key, key)
    return found
