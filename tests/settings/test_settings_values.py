"""Whatever is written as a setting, anywhere: settings or one `SettingsError` that says where, and nothing else."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from hypothesis import example, given
from hypothesis import strategies as st
from in_process import run_here
from studio import Studio, run

from sg_migrate import Settings
from sg_migrate.errors import ImpossibleSettingError, SettingsError, UnknownSettingError
from sg_migrate.revisions.project import overrides
from sg_migrate.revisions.template import create_project
from sg_migrate.settings import parse, read_settings

NAMES = [setting.name for setting in fields(Settings)]

TEXTS = ["", " ", "nan", "-nan", "inf", "-inf", "1e999", "1_0", "0x10", "-1", "1.5", "9" * 5000, "true", "None", "null",
         "%", "%%", "%(here)s", "%(nothing)s", "a=b", "=", "a=", "=b", "A=b A=c", "{", "{a", "a b\tc", "\x00", "\udc80",
         "é", "[x]", "x\n[y]\nz = 1", "x\ny", "x\n y", "#", ";", '"', "\\", "x" * 64, "2147483", "2147484"]  # fmt: skip
VALUES: list[Any] = [nan, inf, -inf, -1, 0, 1, 2, 1.5, 10**30, True, [], [1], ["a"], [["a"]], {}, {"a": 1}, {"a": "b"},
                     {"a": {"b": "c"}}, {"": "b"}, {"a": ""}]  # fmt: skip


def is_settings_or_error(read: Callable[[], Settings]) -> str:
    """The error's text; what was read can be used as a setting."""
    try:
        settings = read()
    except SettingsError as error:
        str(error).encode()  # it can be printed
        return str(error)
    assert 0 <= settings.lock_timeout <= 2_147_483
    assert settings.carry_inline_rows >= 0
    assert settings == parse({name: getattr(settings, name) for name in NAMES}, "again")
    return ""


def config(folder: Path, ini: bytes = b"", pyproject: bytes | None = None) -> Config:
    (folder / "alembic.ini").write_bytes(ini)
    (folder / "pyproject.toml").unlink(missing_ok=True)
    if pyproject is not None:
        (folder / "pyproject.toml").write_bytes(pyproject)
    return Config(str(folder / "alembic.ini"))


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=True)


def in_every_place(folder: Path, name: str, text: str) -> None:
    """The text as a setting's value: on the command line, in alembic.ini, and in pyproject.toml as code and quoted."""
    is_settings_or_error(lambda: read_settings(config(folder), overrides([f"sg_{name}={text}"])))
    line, quoted = (f"{name} = {value}\n".encode(errors="surrogatepass") for value in (text, json.dumps(text)))
    is_settings_or_error(lambda: read_settings(config(folder, b"[sg_migrate]\n" + line)))
    for content in (line, quoted):
        made = config(folder, b"", b"[tool.sg_migrate]\n" + content)
        is_settings_or_error(partial(read_settings, made))


@pytest.mark.parametrize("name", NAMES)
def test_any_text_in_every_place(tmp_path: Path, name: str) -> None:
    for text in TEXTS:
        in_every_place(tmp_path, name, text)


@pytest.mark.parametrize("name", NAMES)
def test_any_toml_value(tmp_path: Path, name: str) -> None:
    for value in VALUES:
        made = config(tmp_path, b"", f"[tool.sg_migrate]\n{name} = {toml(value)}\n".encode())
        is_settings_or_error(partial(read_settings, made))


@given(name=st.sampled_from(NAMES), text=st.text())
def test_random_texts(name: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_every_place(Path(folder), name, text)


_SCALARS = (
    st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")) | st.dates() | st.datetimes()
)


@given(
    name=st.sampled_from(NAMES),
    value=st.recursive(
        _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
)
@example(name="lock_timeout", value=nan)
def test_random_toml_values(name: str, value: Any) -> None:
    is_settings_or_error(lambda: parse({name: value}, "pyproject.toml"))


@given(content=st.binary())
@example(content=b"[sg_migrate]\nnaming = snake\nnaming = shotgrid\n")
@example(content=b"[sg_migrate]\n[sg_migrate]\n")
@example(content=b"[sg_migrate]\nsnapshot = 100%.json\n")
@example(content=b"[alembic]\nsqlalchemy.url = postgresql://me:p%40ss@host/x\n[sg_migrate]\n")
@example(content=b"naming = snake\n")
@example(content=b"[sg_migrate]\nnaming\n")
@example(content=b"[sg_migrate]\nnaming\n  snake\n")
@example(content=b"[sg_migrate]\nnaming = \xff\n")
@example(content=b"[tool.sg_migrate\n")
@example(content=b"[tool]\nsg_migrate = 3\n")
@example(content=b"tool = 3\n")
@example(content=b"[[tool.sg_migrate]]\n")
@example(content=b"x = " + b"[" * 5000)
@example(content=b"x = " + b"9" * 5000)
def test_random_files(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        is_settings_or_error(lambda: read_settings(config(Path(folder), content)))
        is_settings_or_error(lambda: read_settings(config(Path(folder), b"", content)))


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("[sg_migrate]\nnaming = snake\nnaming = snake\n", ", line 3: naming is set a second time in [sg_migrate]."),
        ("[sg_migrate]\n[sg_migrate]\n", ", line 2: there is a second section [sg_migrate]."),
        ("[sg_migrate]\nsnapshot = 100%.json\n", " [sg_migrate] snapshot: a % must be written as %%."),
        ("[alembic]\nsqlalchemy.url = x://me:p%40@y\n", " [alembic] sqlalchemy.url: a % must be written as %%."),
        ("naming = snake\n", ", line 1: no [section] has begun yet."),
        ("[sg_migrate]\nnaming\n", ", line 2: this reads neither KEY = VALUE nor [section]."),
        ("[sg_migrate]\nnaming = camel\n", " [sg_migrate]: naming = 'camel': must be one of snake, shotgrid."),
        (
            "[sg_migrate]\nlock_timeout = nan\n",
            "must be a number of seconds, from 0 (which waits for ever) to 2147483.",
        ),
    ],
)
def test_an_ini_file_is_named_with_the_place(tmp_path: Path, ini: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(config(tmp_path, ini.encode()))
    assert str(caught.value).startswith(str(tmp_path / "alembic.ini"))
    assert str(caught.value).endswith(message)
    assert "p%40" not in str(caught.value), "a value may be a password"


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        (b"[tool.sg_migrate\n", "this cannot be read as TOML"),
        (b"x = '\xff'\n", "this cannot be read as TOML"),
        (b"[tool]\nsg_migrate = 3\n", "Expected `object`, got `int` - at `$.tool.sg_migrate`"),
        (b"[tool.sg_migrate]\nsnapshot = 3\n", "[tool.sg_migrate]: snapshot = 3: must be the name of a file."),
        (b"[tool.sg_migrate]\ncatalog = 2\n", "catalog = 2: must be true or false."),
        (b"[tool.sg_migrate]\ninclude = [1]\n", "include = [1]: must be entity types and fields"),
        (b"[tool.sg_migrate]\nentity_names = {A = 1}\n", "entity_names = {'A': 1}: must be pairs"),
    ],
)
def test_a_pyproject_is_named_with_the_place(tmp_path: Path, pyproject: bytes, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(config(tmp_path, b"", pyproject))
    assert str(caught.value).startswith(str(tmp_path / "pyproject.toml"))
    assert message in str(caught.value)


def test_the_errors_carry_what_they_say() -> None:
    with pytest.raises(ImpossibleSettingError) as impossible:
        parse({"drift": "no"}, "here")
    assert (impossible.value.setting, impossible.value.value) == ("drift", "no")
    with pytest.raises(UnknownSettingError, match=r"'drfit'\. Was it drift\?") as unknown:
        parse({"drfit": "stop"}, "here")
    assert unknown.value.setting == "drfit"
    with pytest.raises(UnknownSettingError, match=r"'xyz'\. There are: accept_retirements, "):
        parse({"xyz": "stop"}, "here")


@pytest.mark.parametrize("place", ["ini", "pyproject", "-x"])
@pytest.mark.parametrize("program", ["alembic", "sg-migrate"])
def test_both_commands_say_it_in_one_line(tmp_path: Path, program: str, place: str) -> None:
    folder = tmp_path / "p"
    Studio(folder, **{"lock_timeout": "nan"} if place == "ini" else {})
    arguments = ["-x", "sg_lock_timeout=nan"] if place == "-x" else []
    if place == "pyproject":
        (folder / "pyproject.toml").write_text("[tool.sg_migrate]\nlock_timeout = nan\n")
    command = [*arguments, "current"] if program == "alembic" else ["models", "-", *arguments]
    call = run if place == "ini" else run_here  # a real process for each of the two
    done = call(folder, program, *command, fails=True)
    assert done.stderr.count("lock_timeout = ") == 1


@pytest.mark.parametrize("command", ["snapshot", "revision", "review", "check", "prune x", "carry", "resume",
                                     "models -", "diff built snapshot"])  # fmt: skip
def test_every_command_names_a_broken_ini(tmp_path: Path, command: str) -> None:
    folder = create_project(tmp_path / "p", url="sqlite:///warehouse.db").parent
    ini = folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("[sg_migrate]\n", "[sg_migrate]\nnaming = snake\nnaming = snake\n", 1))
    done = run_here(folder, "sg-migrate", *command.split(), fails=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sg-migrate: {ini}, line ")
    assert len(done.stderr.splitlines()) == 1


def test_the_settings_cost_an_alembic_command_little() -> None:
    """Every `alembic` command of a project reads them: msgspec brings itself, and next to nothing of Python's own."""
    code = "import alembic.command, sys; before = set(sys.modules); import msgspec; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    added = {name.split(".")[0] for name in done.stdout.split()}
    assert "msgspec" in added
    assert len(added) < 5, added


def test_every_pair_of_places_has_one_order(tmp_path: Path) -> None:
    """pyproject.toml, alembic.ini, -x: what stands later wins, whichever of them are used."""
    for given_places in itertools.product([False, True], repeat=3):
        toml_given, ini_given, x_given = given_places
        made = config(
            tmp_path,
            b"[sg_migrate]\n" + (b"table_prefix = ini_\n" if ini_given else b""),
            b'[tool.sg_migrate]\ntable_prefix = "toml_"\n' if toml_given else None,
        )
        found = read_settings(made, {"table_prefix": "x_"} if x_given else {})
        expected = "x_" if x_given else "ini_" if ini_given else "toml_" if toml_given else ""
        assert found.table_prefix == expected
