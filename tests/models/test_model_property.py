"""Any schema gives classes that configure, create their tables, and round-trip every value."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripts import created, render, script_of
from siteexamples import ledgers
from sqlalchemy.orm import Session, configure_mappers
from structure import snapshot_structure
from studio import OURS_ASIDE, Studio

from sg_migrate import SiteSchema, Snapshot
from sg_migrate.models import build_models, prefetch
from sg_migrate.models.values import Money, UtcDateTime
from sg_migrate.revisions.project import Project

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """What a column of a type may hold."""
    if isinstance(type_, UtcDateTime):
        return st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(timezone.utc))
    if isinstance(type_, Money):
        return st.integers(-(10**15) + 1, 10**15 - 1).map(lambda cents: Decimal(cents) / 100)
    if isinstance(type_, sa.JSON):
        return JSON
    if isinstance(type_, sa.Boolean):
        return st.booleans()
    if isinstance(type_, sa.Date):
        return st.dates(date(1, 1, 1))
    if isinstance(type_, (sa.Float, sa.Double)):
        return st.floats(allow_nan=False, allow_infinity=False)
    if isinstance(type_, sa.Integer):
        return st.integers(-(2**31), 2**31 - 1)
    return TEXTS


@pytest.mark.hypothesis
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), st.data())
def test_every_value_comes_back(ledger: SiteSchema, data: st.DataObject) -> None:
    models = build_models(Snapshot(ledger))
    configure_mappers()
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    written: dict[tuple[str, int], dict[str, Any]] = {}
    with Session(engine) as session:
        for code, cls in models.items():
            written[code, 1] = fill(cls(id=1), data)
            session.add(cls(id=1, **written[code, 1]))
        session.flush()
        for code, cls in models.items():
            record = session.get_one(cls, 1)
            target = session.get_one(models[data.draw(st.sampled_from(sorted(models)))], 1)
            for name, link in cls.__links__.items():
                setattr(record, name, target)
                written[code, 1].update({link.id_column: 1, link.type_column: target.as_dict()["type"]})
            for name, links in cls.__lists__.items():
                if not links.pairs:
                    setattr(record, name, [target])
        session.commit()
        session.expunge_all()
        for (code, number), values in written.items():
            record = session.get_one(models[code], number)
            assert {name: getattr(record, name) for name in values} == values
            prefetch(session, [record], *models[code].__links__.values(), *models[code].__lists__.values())
            for name, link in models[code].__links__.items():
                assert getattr(record, name).as_dict()["type"] == values[link.type_column]
            for name, links in models[code].__lists__.items():
                assert links.pairs or len(getattr(record, name)) == 1
    engine.dispose()


def fill(record: Any, data: st.DataObject) -> dict[str, Any]:
    """Values for the columns of a record that are no link's."""
    of_links = {column for link in record.__links__.values() for column in link.columns}
    return {
        one.key: data.draw(values_of(one.columns[0].type))
        for one in sa.inspect(type(record)).column_attrs
        if one.key != "id" and one.key not in of_links
    }


@pytest.mark.hypothesis
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers())
def test_the_tables_are_those_that_the_revisions_build(ledger: SiteSchema) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        studio = Studio(path / "project", f"sqlite:///{path / 'warehouse.db'}")
        studio.follow(ledger, "r1")
        studio.upgrade()
        project = Project.find(studio.ini)
        expected = snapshot_structure(studio.url, ignore=OURS_ASIDE)
        assert created(build_models(project, retired=True).metadata, path) == expected
        with script_of(render(project, retired=True)) as script:
            configure_mappers()
            assert created(script.Base.metadata, path) == expected
        with script_of(render(project, "dataclasses")) as script:
            configure_mappers()
