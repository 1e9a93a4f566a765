"""The programs of this environment without a new process, for tests that are not about how a program starts.

A process of ``alembic`` or ``sg-migrate`` spends most of its time on imports.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import alembic.config
from studio import undisturbed, working_directory

from sg_migrate.cli import main

MAINS = {"alembic": alembic.config.main, "sg-migrate": main}


def run_here(
    folder: Path, *command: str, env: Mapping[str, str] | None = None, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """`studio.run` from the program's ``main`` on; what it raises is raised here.

    What Alembic prints through its configuration (``current``, ``history``) is not in the answer.
    """
    clean = {key: value for key, value in os.environ.items() if key != "DATABASE_URL" and not key.startswith("SG_")}
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = None
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, clean | dict(env or {}), clear=True))
        stack.enter_context(mock.patch.object(sys, "argv", list(command)))
        for context in (working_directory(folder), undisturbed(), redirect_stdout(out), redirect_stderr(err)):
            stack.enter_context(context)
        try:
            MAINS[command[0]]()
        except SystemExit as stop:
            code = stop.code
    assert isinstance(code, int | None), code
    done = subprocess.CompletedProcess(list(command), code or 0, out.getvalue(), err.getvalue())
    assert bool(code) == fails, f"{command}: {code}\n{done.stdout}\n{done.stderr}"
    return done
