"""What env.py calls: the settings in force, the connection, and the options for ``context.configure``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError

from sg_migrate.alembic_private import environment_function, upgrades, writes_revision
from sg_migrate.database.connection import connect, prepare_context
from sg_migrate.database.drift import check_clashes, describe, drift
from sg_migrate.errors import DriftError, SettingsError
from sg_migrate.revisions.guards import guarded, steps_of
from sg_migrate.revisions.plan import plan
from sg_migrate.revisions.project import Project, overrides
from sg_migrate.revisions.render import render_item
from sg_migrate.revisions.repair import repair
from sg_migrate.revisions.summary import add_display_names, render_summary
from sg_migrate.site.event_log import with_log
from sg_migrate.site.events import append_events
from sg_migrate.site.live import LogConnection, connect_from_environment, read_site
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot, merge, write_snapshot
from sg_migrate.warehouse.catalog import refresh
from sg_migrate.warehouse.model import RESERVED_TABLES
from sg_migrate.warehouse.state import State
from sg_migrate.warehouse.transition import transition

log = logging.getLogger("sg_migrate")

PLUGIN = "sg_migrate"


class Environment:
    """One run of env.py.

    Args:
        context: the module ``alembic.context``.
    """

    def __init__(self, context: Any) -> None:
        arguments = overrides(context.get_x_argument())
        self.project = Project(context.config, arguments, context.script)
        self.settings = self.project.settings
        self._context = context
        self._sqlite = False
        self._function: Callable[..., Any] | None = None
        """What gives Alembic its steps."""
        self._own_metadata: sa.MetaData | None = None
        self._summary: str | None = None

    @property
    def url(self) -> str:
        """The database: ``DATABASE_URL``, or alembic.ini's ``sqlalchemy.url``."""
        return self.project.url

    @contextmanager
    def connect(self, engine: sa.Engine | None = None) -> Iterator[sa.Connection]:
        """A connection ready for migrations; see `sg_migrate.database.connection.connect`.

        Args:
            engine: the application's own, where it has one.
        """
        url = "" if engine else self.url
        with connect(self.project.engine_options, url, self.settings, engine, self.project.revision_ids) as connection:
            self._sqlite = connection.dialect.name == "sqlite"
            yield connection

    def options(self, **application: Any) -> dict[str, Any]:
        """The options for ``context.configure``.

        Args:
            application: options of the application's own, where the site's tables live beside its tables. Its
                ``target_metadata`` is compared by Alembic as ever; the site's tables are kept out of that comparison.

        Raises:
            SettingsError: ``schema`` is set, and the application's tables are not in that schema.
        """
        own = self._own_metadata = application.get("target_metadata")
        if own is not None and self.settings.schema:
            raise SettingsError(
                f"schema = {self.settings.schema!r} is for a warehouse with a history of its own; beside an"
                " application's tables use table_prefix."
            )
        plugins = application.get("autogenerate_plugins", ["alembic.autogenerate.*"] if own is not None else [])
        options = {
            **application,
            "sg_migrate": self,
            "target_metadata": own if own is not None else sa.MetaData(),
            "autogenerate_plugins": [*plugins, PLUGIN],
            "include_name": _both(application.get("include_name"), self._not_ours),
            "render_item": _first(application.get("render_item"), render_item),
            "process_revision_directives": _both_run(
                application.get("process_revision_directives"), self._process_revision_directives
            ),
        }
        self._function = application.get("fn") or environment_function(self._context)
        if self._function is not None:
            options["fn"] = self._steps
        if self._sqlite or (self._context.is_offline_mode() and self.url.startswith("sqlite")):
            options.setdefault("transactional_ddl", True)
        return options

    @cached_property
    def snapshot(self) -> Snapshot:
        """The ledger: from the file, or with ``source = live`` from the file and the site."""
        if self.settings.source == "snapshot":
            return self.project.required_snapshot()
        stored = self.project.stored_snapshot()
        return merge(
            stored, self._loaded.schema, today=date.today(), accept_retirements=self.settings.accept_retirements
        )

    @cached_property
    def _connection(self) -> LogConnection:
        return connect_from_environment()

    @cached_property
    def _loaded(self) -> Loaded:
        return read_site(self._connection)

    @cached_property
    def model(self) -> State:
        """What the warehouse should look like."""
        return self.project.model(self.snapshot.schema)

    def autogenerate(self, context: AutogenContext, upgrade_ops: ops.UpgradeOps) -> None:
        """Put the operations of the next revision into ``upgrade_ops``; called by the plugin.

        Raises:
            ClashError, DriftError: the database has what no revision built, or lacks what one did.
        """
        repairs: list[ops.MigrateOperation] = []
        self._check_own_tables()
        if context.connection is not None:
            check_clashes(context.connection, self.project.built, self.model)
            repairs = self._repairs(context.connection)
        change = transition(self.project.built, self.model)
        groups = plan(change)
        site = self.project.shown(self.snapshot.schema)
        text = render_summary(change, site) if groups else ""
        add_display_names(groups, site)
        upgrade_ops.ops[:] = [*upgrade_ops.ops, *repairs, *groups]
        self._summary = text

    def _check_own_tables(self) -> None:
        tables = self._own_metadata.tables.values() if self._own_metadata is not None else ()
        own = {table.name.lower() for table in tables if table.schema is None}
        both = [name for name in self.model if name.lower() in own]
        if both:
            raise SettingsError(
                f"The application's models and the site's both have the tables {', '.join(both)}. Give the site's"
                " other names: table_prefix, or entity_names."
            )

    def _repairs(self, connection: sa.Connection) -> list[ops.MigrateOperation]:
        if self.settings.drift == "ignore":
            return []
        found = drift(connection, self.project.built)
        if found and self.settings.drift == "stop":
            raise DriftError([describe(operation) for operation in found])
        return [repair(connection, found, self.project.built)] if found else []

    def _process_revision_directives(self, context: MigrationContext, revision: Any, directives: list[Any]) -> None:
        """After autogenerate: the summary and the digest for the file, and the snapshot of a live site."""
        if self._summary is None or not (
            "sg_generates" in self.project.config.attributes or writes_revision(self._function)
        ):
            return
        if self.settings.source == "live":
            self._write_reading()
        if directives and directives[-1].upgrade_ops.is_empty():
            log.info("Nothing to do: the revisions build what the site wants.")
            directives[:] = []
            return
        digest = self.project.digest(self.snapshot)
        context.opts["template_args"].update(sg_summary=self._summary, sg_digest=digest)
        template = Path(self.project.scripts.dir, "script.py.mako").read_text(encoding="utf-8")
        if "sg_digest" not in template and self._summary:
            # An application's own template: what ours has places for goes where the imports go, sorted.
            comment = "\n".join(f"# {line}".rstrip() for line in self._summary.splitlines())
            # Not into the set that is there: Alembic gives every revision of a process the same one.
            directives[-1].imports = {*directives[-1].imports, comment, f"sg_digest = {digest!r}"}

    def _write_reading(self) -> None:
        """The snapshot of the live site, and what its log says meanwhile."""
        known = self.project.events()
        changed = write_snapshot(self.project.snapshot_path, self.snapshot)
        read = with_log(self._loaded, self._connection, known, people=self.settings.people)
        for note in read.notes:
            log.warning(note)
        append_events(self.project.events_path, read.events, changed=changed)

    def _not_ours(self, name: str | None, kind: str, parents: Any) -> bool:
        """Keeps the site's tables out of Alembic's own comparison."""
        ours = (self.project.built, self.model, RESERVED_TABLES)
        return kind != "table" or not any(name in names for names in ours)

    # --- upgrades and downgrades

    def _steps(self, heads: tuple[str, ...], context: MigrationContext) -> Iterable[Any]:
        """In the place of Alembic's function that gives the steps to run; see `sg_migrate.revisions.guards`."""
        prepare_context(context)
        assert self._function is not None
        try:
            found = list(self._function(heads, context))
        except CommandError:
            self.project.check_heads(heads)
            raise
        steps = steps_of(found)
        if context.as_sql or "sg_resumes" in self.project.config.attributes:
            return found
        if not steps:
            return self._nothing_to_run(heads, context, found)
        site = self.project.site() if self.settings.catalog else SiteSchema()  # unreadable: said first
        history = self.project.history(context.dialect.name)
        return guarded(context, heads, steps, history, lambda *at: self._refresh_catalog(site, *at))

    def _nothing_to_run(self, heads: tuple[str, ...], context: MigrationContext, found: list[Any]) -> list[Any]:
        """An upgrade of a database that has every revision: the catalog follows the snapshot all the same."""
        if self.settings.catalog and heads and upgrades(self._function) and context.connection is not None:
            built = self.project.history(context.dialect.name).built(heads)
            self._refresh_catalog(self.project.site(), context.connection, built)
            if not context.impl.transactional_ddl:  # there Alembic commits migration by migration, and there is none
                context.connection.commit()
        return found

    def _refresh_catalog(self, site: SiteSchema, connection: sa.Connection, built: State) -> None:
        if self.settings.catalog:
            refresh(connection, built, site, self.settings)


def _both(first: Any, second: Any) -> Any:
    if first is None:
        return second
    return lambda *args: first(*args) and second(*args)


def _first(first: Any, second: Any) -> Any:
    if first is None:
        return second
    return lambda *args: first(*args) or second(*args)


def _both_run(first: Any, second: Any) -> Any:
    if first is None:
        return second

    def run(*args: Any) -> None:
        first(*args)
        second(*args)

    return run
