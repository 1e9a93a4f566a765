"""Settings: from alembic.ini, pyproject.toml and -x, with an error that says where a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config

from sg_migrate import Settings
from sg_migrate.errors import SettingsError
from sg_migrate.settings import parse, read_settings


def test_each_place_stands_above_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.sg_migrate]\nnaming = "shotgrid"\nforeign_keys = true\nexclude = ["A", "B.c"]\n'
        'entity_names = { CustomEntity07 = "lens_kit" }\n'
    )
    ini = tmp_path / "alembic.ini"
    ini.write_text("[sg_migrate]\nforeign_keys = no\ntable_prefix = sg_\n")
    settings = read_settings(Config(str(ini)), {"table_prefix": "x_"})
    assert settings == Settings(
        naming="shotgrid",
        foreign_keys=False,
        exclude=("A", "B.c"),
        entity_names={"CustomEntity07": "lens_kit"},
        table_prefix="x_",
    )


def test_lists_and_pairs_in_an_ini_file() -> None:
    settings = parse({"include": "Shot.{code,sg_*}\n  Asset", "entity_names": "CustomEntity07=lens_kit\nA=b"}, "ini")
    assert settings.include == ("Shot.{code,sg_*}", "Asset")
    assert settings.entity_names == {"CustomEntity07": "lens_kit", "A": "b"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nameing": "snake"}, "ini: no setting is called 'nameing'"),
        ({"naming": "camel"}, "ini: naming = 'camel': must be one of snake, shotgrid"),
        ({"catalog": "perhaps"}, "ini: catalog = 'perhaps': must be true or false"),
        ({"carry_inline_rows": "many"}, "ini: carry_inline_rows = 'many': must be a whole number of rows, 0 or more"),
        ({"lock_timeout": "-1"}, "ini: lock_timeout = '-1': must be a number of seconds, from 0"),
        ({"table_prefix": 'x"; DROP'}, "must be empty, or at most 63 letters, digits and underscores"),
        ({"entity_names": "CustomEntity07"}, "must be pairs EntityType=table_name without spaces"),
    ],
)
def test_a_mistake_is_named(values: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(values, "ini")
    assert message in str(caught.value)


def test_the_shape_changes_with_what_shapes_the_model_only() -> None:
    assert Settings(lock_timeout=1).shape() == Settings().shape()
    assert Settings(naming="shotgrid").shape() != Settings().shape()
    assert Settings(entity_names={"A": "b"}).shape() != Settings().shape()
