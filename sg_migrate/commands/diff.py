"""``sg-migrate diff``: two schemas beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sg_migrate.commands.options import config_option, project, setting_option
from sg_migrate.commands.output import echo_lines
from sg_migrate.exit_codes import DIFFERS, DONE, LOOK

if TYPE_CHECKING:
    from sg_migrate.review.difference import Difference
    from sg_migrate.revisions.project import Project
    from sg_migrate.site.schema import SiteSchema
    from sg_migrate.warehouse.state import State

FORMATS = ("text", "markdown", "json", "html")


@click.command(name="diff", epilog="Example: sg-migrate diff HEAD~1:migrations/site_schema.json snapshot")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--url", help="The database that `db` stands for; it is only read.")
@config_option
@setting_option
@click.pass_context
def command(
    context: click.Context,
    old: str | None,
    new: str | None,
    format_: str,
    url: str | None,
    config: Path,
    arguments: tuple[str, ...],
) -> None:
    """Compare two schemas, from OLD to NEW.

    \b
    Each of them is one of
      snapshot      the project's snapshot file
      live          the site, with the credentials of the environment
      db            what the database's revisions have built
      built         what the project's revisions build
      FILE          a schema in any format that `snapshot --from` reads
      REV:FILE      the file in a git revision, such as HEAD~1:migrations/site_schema.json

    With OLD alone, NEW is the snapshot; `diff live`, and `diff` alone, is from the snapshot to the site.
    Exits with 0 when nothing differs, 4 when values of the warehouse would not convert or be dropped, 3 otherwise.
    """
    from sg_migrate.review.findings import Level

    if old in (None, "live") and new is None:
        old, new = "snapshot", "live"
    sides = _Sides(config, arguments, url)
    found = sides.difference(old or "snapshot", new or "snapshot")
    show(found, format_)
    code = LOOK if found.level >= Level.LOSSY else DIFFERS
    context.exit(code if found.changes else DONE)


def show(found: Difference, format_: str) -> None:
    """Print differences in a format."""
    from sg_migrate.reports import difference, html, markdown

    if format_ == "text":
        echo_lines(difference.text(found))
    elif format_ == "json":
        click.echo(difference.json_text(found))
    else:
        document = difference.document(found)
        click.echo(markdown.render(document) if format_ == "markdown" else html.render(document))


@dataclass(frozen=True, slots=True)
class Side:
    """One side: what was read, with the retired entries where there are any, or what is built."""

    name: str
    active: SiteSchema | None = None
    ledger: SiteSchema | None = None
    state: State | None = None


class _Sides:
    """Reads both sides and brings them to forms that can be compared."""

    def __init__(self, config: Path, arguments: tuple[str, ...], url: str | None) -> None:
        self.config = config
        self.arguments = arguments
        self.url = url

    @cached_property
    def project(self) -> Project:
        return project(self.config, self.arguments)

    def difference(self, old_name: str, new_name: str) -> Difference:
        from sg_migrate.review.difference import difference
        from sg_migrate.site.ledger import active

        old, new = self._read(old_name), self._read(new_name)
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
            return Side(_shown(path), ledger=self.project.required_snapshot().schema)
        if name == "live":
            from sg_migrate.site.live import connect_from_environment, read_site

            schema = read_site(connect_from_environment()).schema
            return Side(f"live ({schema.host})", active=schema)
        if name == "built":
            return Side("built", state=self.project.built)
        if name == "db":
            return self._database()
        return self._file(name)

    def _database(self) -> Side:
        from sg_migrate.database.reading import opened
        from sg_migrate.errors import RevisionError

        with opened(self.project, self.url or self.project.url) as (database, _):
            assert database is not None
            if not database.heads:
                raise RevisionError("The database has no revision yet, so there is nothing to compare.")
            built = self.project.history(database.dialect).built(database.heads)
            return Side(f"db ({', '.join(database.heads)})", state=built)

    def _file(self, name: str) -> Side:
        from sg_migrate.site.sources import load, parse

        revision, colon, path = name.partition(":")
        is_git = bool(colon) and len(revision) > 1 and not Path(name).exists()
        loaded = parse(_git_show(revision, path), name) if is_git else load(name)
        return Side(name, active=loaded.schema, ledger=loaded.ledger)

    def _of_warehouse(self, old: Side, new: Side) -> Difference:
        """Both sides as the warehouse has or would have them: a built state knows no more of a site."""
        from sg_migrate.review.difference import warehouse_difference
        from sg_migrate.warehouse.model import build_state
        from sg_migrate.warehouse.transition import transition

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
        from sg_migrate.site.schema import SiteSchema

        stored = self.project.stored_snapshot()
        return stored.schema if stored else SiteSchema()

    def _merged(self, ledger: SiteSchema, side: Side) -> SiteSchema:
        """What the ledger would say after this reading: what is no longer there is retired."""
        from sg_migrate.site.snapshot import Snapshot, merge

        assert side.active is not None
        snapshot = Snapshot(ledger)
        return merge(snapshot, side.active, today=date.today(), rebind=True, accept_retirements=True).schema


def _schema(side: Side) -> SiteSchema:
    schema = side.ledger or side.active
    assert schema is not None
    return schema


def _git_show(revision: str, path: str) -> str:
    import subprocess

    from sg_migrate.errors import SourceError

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
    return shown.stdout.decode("utf-8", errors="strict")


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name
