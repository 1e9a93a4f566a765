"""The site's tables beside an application's own, in one history: plain Alembic and Flask-Migrate, as documented."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path

import alembic.command
import pytest
from alembic.config import Config
from documented import apply
from engines import Databases
from in_process import run_here
from sites import site, without
from structure import diff_structure, snapshot_structure
from studio import TODAY, execute, run, undisturbed

from sg_migrate import SiteSchema, merge, read_snapshot, write_snapshot
from sg_migrate.revisions.project import Project

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "invoice"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(sa.String(20), index=True)
"""
MORE_MODELS = """
    paid: Mapped[bool | None]


class Line(Base):
    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoice.id"))
"""
SITE = site(
    Shot={"code": "text Code", "sg_cut_in": "text", "sg_lead": "entity:HumanUser", "sg_plates": "multi_entity:Shot"},
    HumanUser={"login": "text"},
)
NUMBERS = itertools.count(1)
LATER = site(Shot={"code": "text Code", "sg_cut_in": "number"}, HumanUser={"login": "text", "sg_mail": "text"})


class Application:
    """An Alembic project as ``alembic init`` makes it, with one model and one revision, before anybody adopts us."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.snapshot = folder / "migrations" / "site_schema.json"
        self.versions = folder / "migrations" / "versions"
        folder.mkdir()
        run_here(folder, "alembic", "init", "migrations")
        ini = folder / "alembic.ini"
        text = re.sub(r"(?m)^sqlalchemy.url = .*$", f"sqlalchemy.url = {url.replace('%', '%%')}", ini.read_text())
        ini.write_text(text.replace("prepend_sys_path = .", f"prepend_sys_path = {folder}"))
        self.env = folder / "migrations" / "env.py"
        self.models = "models"
        self.env.write_text(
            self.env.read_text()
            .replace("target_metadata = None", "from models import Base\n\ntarget_metadata = Base.metadata")
            .replace("fileConfig(config.config_file_name)", "fileConfig(config.config_file_name, None, False)")
        )
        self.grow("")
        self.revise("own")
        self.upgrade()

    def adopt(self, **settings: str) -> None:
        apply("An Alembic project with models and a history of its own", self.env)
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        ini = self.folder / "alembic.ini"
        ini.write_text(ini.read_text() + f"\n[sg_migrate]\n{lines}")

    def grow(self, more: str) -> None:
        """The application's models change as well. A module of a new name: this process keeps what it has imported."""
        models = f"models_{next(NUMBERS)}"
        (self.folder / f"{models}.py").write_text(MODELS + more)
        self.env.write_text(self.env.read_text().replace(f"from {self.models} import", f"from {models} import"))
        self.models = models

    def take(self, schema: SiteSchema) -> None:
        stored = read_snapshot(self.snapshot) if self.snapshot.exists() else None
        write_snapshot(self.snapshot, merge(stored, schema, today=TODAY, accept_retirements=True))

    def config(self) -> Config:
        return Config(str(self.folder / "alembic.ini"), stdout=io.StringIO())

    def revise(self, name: str) -> str:
        """Autogenerate; the revision's text, or nothing."""
        run_here(self.folder, "alembic", "revision", "--autogenerate", "-m", name, "--rev-id", name)
        path = self.versions / f"{name}_{name}.py"
        return path.read_text() if path.exists() else ""

    def upgrade(self, revision: str = "head") -> None:
        with undisturbed():
            alembic.command.upgrade(self.config(), revision)

    def downgrade(self, revision: str = "-1") -> None:
        with undisturbed():
            alembic.command.downgrade(self.config(), revision)

    def check(self) -> None:
        run_here(self.folder, "alembic", "check")


@pytest.mark.parametrize(
    "engine_name", ["sqlite", *(pytest.param(name, marks=pytest.mark.long) for name in ("postgresql", "mariadb"))]
)
def test_one_history_for_both(tmp_path: Path, databases: Databases, engine_name: str) -> None:
    app = Application(tmp_path / "app", databases.new(engine_name))
    template = (app.folder / "migrations" / "script.py.mako").read_bytes()
    execute(
        app.url,
        "INSERT INTO invoice (id, number) VALUES (1, 'A-1')",
        "CREATE TABLE somebodys (id INTEGER PRIMARY KEY)",
    )
    app.adopt()
    app.env.write_text(
        app.env.read_text().replace(
            "def run_migrations_offline",
            'def own(item, name, kind, *_):\n    return name != "somebodys"\n\n\ndef run_migrations_offline',
            1,
        ).replace("sg.options(target_metadata=target_metadata)",
                  "sg.options(target_metadata=target_metadata, include_object=own)")
    )  # fmt: skip
    app.take(SITE)
    first = app.revise("site")
    assert "invoice" not in first
    assert "# The first revision: 2 entity types, 7 fields" in first
    assert re.search(r"(?m)^sg_digest = '[0-9a-f]{16}'$", first)
    app.upgrade()
    app.check()
    assert app.revise("nothing") == ""

    app.grow(MORE_MODELS)
    app.take(LATER)
    before = snapshot_structure(app.url)
    both = app.revise("both")
    assert "op.create_table('line'" in both
    assert "op.add_column('invoice', sa.Column('paid'" in both
    assert "op.convert_column('shot'" in both
    assert "drop_table" not in both.partition("def downgrade")[0]
    app.upgrade()
    app.check()
    after = snapshot_structure(app.url)
    app.downgrade()
    assert diff_structure(before, snapshot_structure(app.url)) == []
    app.upgrade()
    assert diff_structure(after, snapshot_structure(app.url)) == []
    app.downgrade("own")
    assert set(snapshot_structure(app.url)["tables"]) == {"alembic_version", "invoice", "somebodys"}
    app.upgrade()
    assert diff_structure(after, snapshot_structure(app.url)) == []
    assert (app.folder / "migrations" / "script.py.mako").read_bytes() == template

    app.grow(MORE_MODELS + "    lines: Mapped[int | None]\n")
    own = app.revise("mine")
    assert "sg_digest" not in own  # nothing of the site's: it may do what it likes with a connection
    (app.versions / "mine_mine.py").write_text(own.replace("    # ### end", "    op.get_bind()\n    # ### end", 1))
    app.upgrade()
    app.check()


def test_an_upgrade_is_all_or_nothing_on_the_applications_own_sqlite_engine(tmp_path: Path, sqlite_url: str) -> None:
    app = Application(tmp_path / "app", sqlite_url)
    app.adopt()
    app.take(SITE)
    text = app.revise("site")
    (app.versions / "site_site.py").write_text(
        text.replace("    # ### end", "    op.execute('SELECT 1 FROM nowhere')\n    # ### end", 1)
    )
    before = snapshot_structure(sqlite_url)
    refused = run(app.folder, "alembic", "upgrade", "head", fails=True)
    assert "no such table: nowhere" in refused.stdout + refused.stderr
    assert snapshot_structure(sqlite_url) == before


def test_the_same_name_on_both_sides_is_an_error(tmp_path: Path, sqlite_url: str) -> None:
    app = Application(tmp_path / "app", sqlite_url)
    app.adopt()
    app.take(site(Invoice={"code": "text"}, Shot={}))
    refused = run(app.folder, "alembic", "revision", "--autogenerate", "-m", "x", fails=True)
    assert "both have the tables invoice" in refused.stdout + refused.stderr
    assert "table_prefix" in refused.stdout + refused.stderr
    ini = app.folder / "alembic.ini"
    ini.write_text(ini.read_text() + "table_prefix = sg_\n")
    app.revise("site")
    app.upgrade()
    app.check()
    built = Project(app.config()).built
    assert set(built) == {"sg_invoice", "sg_shot", "sg_catalog_entity", "sg_catalog_field"}


FLASK_APP = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = {url!r}
db = SQLAlchemy(app)
migrate = Migrate(app, db)


class Page(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(80), unique=True)
"""


def flask_db(folder: Path, *commands: str) -> None:
    """Several commands of ``flask db`` in one process."""
    each = "for command in sys.argv[1:]: cli(f'db {command}'.split(), standalone_mode=False)"
    run(folder, "python", "-c", f"import sys; from flask.cli import cli\n{each}", *commands)


def test_flask_migrate_from_its_own_template(tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "app.py").write_text(FLASK_APP.format(url=sqlite_url))
    migrations = tmp_path / "migrations"
    schema = tmp_path / "schema.json"
    write_snapshot(schema, merge(None, SITE, today=TODAY))
    run(tmp_path, "flask", "db", "init")
    apply("Flask-Migrate", migrations / "env.py", migrations / "alembic.ini")
    run_here(tmp_path, "sg-migrate", "snapshot", "--config", "migrations/alembic.ini", "--from", str(schema))
    run(tmp_path, "flask", "db", "migrate", "-m", "first", "--rev-id", "first")
    text = (migrations / "versions" / "first_first.py").read_text()
    assert "op.create_table('page'" in text
    assert "op.create_table('shot'" in text
    run(tmp_path, "flask", "db", "upgrade")
    first = set(snapshot_structure(sqlite_url)["tables"])
    assert {"page", "shot", "human_user", "shot__sg_plates", "sg_catalog_field"} <= first

    write_snapshot(schema, merge(None, without(LATER, "HumanUser.login"), today=TODAY))
    run_here(tmp_path, "sg-migrate", "snapshot", "--config", "migrations/alembic.ini", "--from", str(schema))
    (tmp_path / "app.py").write_text(FLASK_APP.format(url=sqlite_url) + "    text = db.Column(db.Text)\n")
    run(tmp_path, "flask", "db", "migrate", "-m", "second", "--rev-id", "second")
    text = (migrations / "versions" / "second_second.py").read_text()
    assert "batch_op.add_column(sa.Column('text', sa.Text()" in text
    assert "op.convert_column('shot'" in text
    assert "drop_table" not in text.partition("def downgrade")[0]
    flask_db(tmp_path, "upgrade", "check", "downgrade base")
    assert set(snapshot_structure(sqlite_url)["tables"]) == {"alembic_version"}
