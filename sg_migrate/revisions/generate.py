"""Writing the next revision without a database: what is built and what is wanted are both known without one."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa
from alembic.autogenerate.api import RevisionContext
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util.exc import CommandError

from sg_migrate.alembic_private import version_locations
from sg_migrate.errors import EnvironmentFileError, RevisionError
from sg_migrate.revisions.project import Project, overrides
from sg_migrate.site.snapshot import Snapshot


def revision(
    project: Project,
    snapshot: Snapshot,
    message: str,
    *,
    arguments: Sequence[str] = (),
    rev_id: str | None = None,
    folder: Path | None = None,
    alone: bool = False,
) -> tuple[Project, Script] | None:
    """Write the next revision: the bytes that ``alembic revision --autogenerate`` writes, id and date aside.

    The project's own env.py is run, as for ``alembic upgrade --sql``, so that its options count. The snapshot file is
    neither read nor written.

    Args:
        project: where the revision belongs.
        snapshot: what the revision leads to.
        message: for the file.
        arguments: the ``-x`` arguments of this run.
        rev_id: the id; a new one when left out.
        folder: another folder for the file than the project's; the project is not changed then.
        alone: with ``folder``, stand on nothing: the project's own revisions are not there.

    Returns:
        The revision, with the project as it is now; ``None`` when nothing is to be done.

    Raises:
        EnvironmentFileError: the project's env.py fails.
        RevisionError: there are several heads, or the project's env.py also compares tables of an application's own.
    """
    config = _config(project, snapshot, arguments, folder, alone=alone)
    scripts = ScriptDirectory.from_config(config)
    heads = tuple(scripts.get_heads())
    if len(heads) > 1:
        raise RevisionError(f"There are several heads: {', '.join(heads)}. Merge them: alembic merge heads -m merge.")
    context = RevisionContext(config, scripts, _command(message, rev_id, folder))

    def retrieve_migrations(heads: Any, migration_context: MigrationContext) -> list[Any]:
        _refuse_other_tables(migration_context)
        # Alembic refuses autogenerate in its offline mode, which is the mode that takes no connection.
        options = {**migration_context.opts, "as_sql": False, "literal_binds": False, "starting_rev": None}
        context.run_autogenerate(heads, MigrationContext.configure(dialect=migration_context.dialect, opts=options))
        return []

    with (
        _no_messages(io.StringIO() if folder else sys.stderr),
        EnvironmentContext(
            config,
            scripts,
            fn=retrieve_migrations,
            as_sql=True,
            starting_rev=heads or None,
            template_args=context.template_args,
            revision_context=context,
        ),
    ):
        _run_env(scripts)
        written = list(context.generate_scripts())
    if not written or written[0] is None:
        return None
    return Project(config, overrides(arguments), scripts), written[0]


def _run_env(scripts: ScriptDirectory) -> None:
    """Run the project's env.py, which is anybody's code: what it raises is said with its place."""
    try:
        scripts.run_env()
    except (CommandError, OSError, sa.exc.DBAPIError):
        raise
    except Exception as error:  # env.py is anybody's code: whatever it raises is said with its place
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).name == "env.py"]
        if not lines:
            raise
        raise EnvironmentFileError(str(Path(scripts.dir, "env.py")), lines[-1], error) from error


def _command(message: str, rev_id: str | None, folder: Path | None) -> dict[str, Any]:
    """The arguments of ``alembic revision --autogenerate``."""
    return {
        "message": message, "autogenerate": True, "sql": False, "head": "head", "splice": False, "branch_label": None,
        "version_path": str(folder) if folder else None, "rev_id": rev_id, "depends_on": None,
    }  # fmt: skip


def _config(
    project: Project, snapshot: Snapshot, arguments: Sequence[str], folder: Path | None, *, alone: bool
) -> Config:
    """The project's configuration for a run without database and site."""
    old = project.config
    config = Config(old.config_file_name, output_buffer=io.StringIO(), toml_file=old.toml_file_name)
    config.cmd_opts = Namespace(x=[*arguments, "sg_source=snapshot"])
    config.attributes.update(old.attributes, sg_snapshot=snapshot, sg_url="sqlite://", sg_generates=True)
    if folder is not None:
        locations = [*([] if alone else version_locations(project.scripts)), str(folder)]
        config.set_main_option("path_separator", "os")
        config.set_main_option("version_locations", os.pathsep.join(locations).replace("%", "%%"))
    return config


def _refuse_other_tables(context: MigrationContext) -> None:
    metadata = context.opts["target_metadata"]
    if getattr(metadata, "tables", None):
        raise RevisionError(
            "This project's env.py also compares an application's own tables, and that takes a database:"
            " use `sg-migrate snapshot` and `alembic revision --autogenerate`."
        )


@contextlib.contextmanager
def _no_messages(target: TextIO) -> Iterator[None]:
    """Alembic's messages go to ``target``, and its log lines about contexts nowhere: nobody asked for those."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with contextlib.redirect_stdout(target):
            yield
    finally:
        logging.disable(before)
