"""Mockgun's pickles load; a pickle that wants anything more than plain data runs nothing."""

from __future__ import annotations

import collections
import contextlib
import datetime
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from siteexamples import SMALL, SMALL_ENTITIES, SMALL_FIELDS, write_json

from sg_migrate.errors import SourceError
from sg_migrate.site.pickles import is_pickle, load_pickle
from sg_migrate.site.sources import load_schema
from sg_migrate.site.validation import Unreadable


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "schema.pickle").write_bytes(pickle.dumps(SMALL_FIELDS, protocol))
    (tmp_path / "schema_entity.pickle").write_bytes(pickle.dumps(SMALL_ENTITIES, protocol))
    assert load_schema(tmp_path).schema == SMALL


def test_python_2_byte_strings() -> None:
    # What Python 2 wrote for {"Shot": {"code": {"data_type": {"value": "text"}}}} with protocol 2: SHORT_BINSTRING.
    data = b"\x80\x02}U\x04Shot}U\x04code}U\x09data_type}U\x05valueU\x04textssss."
    assert load_pickle(data) == {"Shot": {"code": {"data_type": {"value": "text"}}}}


class Runs:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_something_runs_nothing(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "schema.pickle"
    path.write_bytes(pickle.dumps({"Shot": Runs(tmp_path / "ran")}, protocol))
    with pytest.raises(SourceError) as caught:
        load_schema(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: byte ")
    assert message.endswith("Only Mockgun's plain schema files are read; nothing in this one was run.")
    assert "a pickle with more than plain data ('" in message
    assert list(tmp_path.iterdir()) == [path]


def test_the_classic_attack_by_its_exact_message(tmp_path: Path) -> None:
    path = tmp_path / "schema.pickle"
    path.write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(SourceError) as caught:
        load_schema(path)
    assert str(caught.value) == (
        f"{path}: byte 0: a pickle with more than plain data ('GLOBAL os system'). "
        "Only Mockgun's plain schema files are read; nothing in this one was run."
    )


@pytest.mark.parametrize(
    "value", [datetime.date(2020, 1, 1), collections.OrderedDict(a=1), {1, 2}, b"bytes", 3j, len, Path, frozenset()]
)
def test_more_than_plain_data_is_refused(value: object) -> None:
    with pytest.raises(Unreadable, match="a pickle with more than plain data"):
        load_pickle(pickle.dumps({"Shot": value}, 4))


def test_data_that_holds_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Unreadable, match="nested deeper than 200 levels"):
        load_pickle(pickle.dumps(endless))


def test_data_that_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit is lowered only to keep the test short: 2**60 values would be refused after five million.
    monkeypatch.setattr("sg_migrate.site.validation.MAX_VALUES", 10_000)
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(Unreadable, match="too many values"):
        load_pickle(pickle.dumps(value))


def test_an_impossible_memo_index_allocates_nothing() -> None:
    with pytest.raises(Unreadable, match="byte 3: a pickle with an impossible memo index"):
        load_pickle(b"\x80\x02}r\xff\xff\xff\x7f.")


def test_wrong_values_inside() -> None:
    with pytest.raises(Unreadable, match="a key is a number, not text"):
        load_pickle(pickle.dumps({1: 2}))
    with pytest.raises(Unreadable, match="nan is not a number"):
        load_pickle(pickle.dumps({"a": float("nan")}))
    with pytest.raises(Unreadable, match="absurd length"):
        load_pickle(pickle.dumps({"a": 10**5000}))


def test_every_truncation_is_an_error() -> None:
    data = pickle.dumps(SMALL_FIELDS, 2)
    for length in range(1, len(data)):
        with pytest.raises(Unreadable, match="pickle"):
            load_pickle(data[:length])


@given(st.binary(max_size=60), st.integers(0, 200))
def test_damaged_pickles_raise_nothing_else(noise: bytes, at: int) -> None:
    data = pickle.dumps({"Shot": {"code": ["a", 1, None, True, 2.5]}}, 2)
    for broken in (noise, data[:at] + noise + data[at + len(noise) :]):
        with contextlib.suppress(Unreadable):
            load_pickle(broken)


def test_json_is_never_taken_for_a_pickle(tmp_path: Path) -> None:
    assert not any(map(is_pickle, (b"{}", b"[1]", b'"text"', b"code,name\n", b" {", b"\xef\xbb\xbf{", b"")))
    assert load_schema(write_json(tmp_path / "schema.pickle", SMALL_FIELDS)).format == "schema_read() JSON"
