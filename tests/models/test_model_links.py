"""Links as objects: what they read, write, compare and forget."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from engines import Databases
from sites import site
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.exc import DetachedInstanceError
from tracker import tracker

from sg_migrate.errors import PathError, RefusedValueError, RowError
from sg_migrate.models import (
    Models,
    backrefs,
    build_models,
    get_by,
    load_fields,
    parents,
    prefetch,
    refuse_invalid,
    upsert,
)  # fmt: skip


@pytest.fixture
def models() -> Models:
    return build_models(tracker())


@pytest.fixture
def session(models: Models) -> Iterator[Session]:
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """The statements that go to the database meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        statements.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def test_what_leads_nowhere_reads_none(models: Models, session: Session) -> None:
    task_of = models["Task"]
    session.add_all([
        task_of(id=1), task_of(id=2, entity_id=9), task_of(id=3, entity_type="Shot"),
        task_of(id=4, entity_id=9, entity_type="Shot"), task_of(id=5, entity_id=9, entity_type="CustomEntity07"),
    ])  # fmt: skip
    session.commit()
    tasks = session.scalars(sa.select(task_of)).all()
    assert [task.entity for task in tasks] == [None] * 5
    with counted(session) as statements:
        assert [task.entity for task in tasks] == [None] * 5
    assert statements == [], "a missing record is asked for once"


def test_a_missing_record_that_arrives_later_is_found(models: Models, session: Session) -> None:
    task, department = models["Task"](id=1, entity_id=7, entity_type="Shot"), models["Department"](id=1)
    session.add_all([task, department])
    session.flush()
    users = models.metadata.tables["department__users"]
    session.execute(users.insert().values(owner_id=1, linked_type="HumanUser", linked_id=7))
    assert (task.entity, department.users) == (None, [])
    shot, person = models["Shot"](id=7), models["HumanUser"](id=7)
    session.add_all([shot, person])
    session.flush()
    with counted(session) as statements:
        assert (task.entity, department.users) == (shot, [person])
        assert person in department.users
    assert statements == []
    person.department = department
    department.users.clear()
    assert person.department is None, "it is taken out as any other"


def test_a_link_is_its_columns(models: Models, session: Session) -> None:
    shot, other = models["Shot"](id=1), models["Shot"](id=2)
    task = models["Task"](id=1, entity=shot)
    assert (task.entity_type, task.entity_id, task.entity) == ("Shot", 1, shot)
    session.add_all([shot, other, task])
    session.flush()
    task.entity_id = 2
    assert task.entity is other
    task.entity = None
    assert (task.entity_type, task.entity_id, task.entity) == (None, None, None)


def test_reading_asks_the_database_once_for_a_record(models: Models, session: Session) -> None:
    session.add_all([models["Shot"](id=1), *(models["Task"](id=n, entity_id=1, entity_type="Shot") for n in (1, 2))])
    session.commit()
    session.expunge_all()
    first, second = session.scalars(sa.select(models["Task"])).all()
    with counted(session) as statements:
        assert first.entity is first.entity is second.entity
    assert len(statements) == 1


def test_a_detached_record_says_so(models: Models, session: Session) -> None:
    session.add_all([models["Shot"](id=1), models["Task"](id=1, entity_id=1, entity_type="Shot")])
    session.commit()
    task = session.get_one(models["Task"], 1)
    shot = session.get_one(models["Shot"], 1)
    session.expunge_all()
    with pytest.raises(DetachedInstanceError, match=r"Task\.entity"):
        _ = task.entity
    with pytest.raises(DetachedInstanceError, match=r"Shot\.assets"):
        list(shot.assets)
    assert repr(task) == "<Task 1>"


def test_what_cannot_be_linked(models: Models) -> None:
    task = models["Task"](id=1)
    with pytest.raises(ValueError, match="no id"):
        task.entity = models["Shot"]()
    with pytest.raises(TypeError, match="leads to records"):
        task.entity = "a shot"
    with pytest.raises(ValueError, match="is not in"):
        models["Shot"](id=1).assets.remove(models["Asset"](id=2))


def test_a_deleted_record_is_not_read_any_more(models: Models, session: Session) -> None:
    shot = models["Shot"](id=1)
    task = models["Task"](id=1, entity=shot)
    session.add_all([shot, task])
    session.commit()
    assert task.entity is shot
    person = models["HumanUser"](id=2)
    session.add(person)
    task.task_assignees = [person]
    session.flush()
    session.delete(shot)
    session.delete(person)
    session.flush()
    assert task.entity is None
    assert task.task_assignees == []
    again = models["HumanUser"](id=2)
    session.add(again)
    session.flush()
    assert task.task_assignees == [again]
    session.rollback()
    assert task.entity is shot


def test_aliases(models: Models, session: Session) -> None:
    shot = models["Shot"](id=1, code="a", assets=[models["Asset"](id=2)])
    session.add_all([shot, models["Task"](id=1, entity=shot)])
    session.commit()
    task, target, with_assets = aliased(models["Task"]), aliased(models["Shot"]), aliased(models["Shot"])
    found = session.execute(sa.select(task.id, target.code).join(target, task.entity.of(target))).all()
    assert found == [(1, "a")]
    assert session.scalars(sa.select(task.id).where(task.entity == shot)).all() == [1]
    assert session.scalars(
        sa.select(with_assets.id).where(with_assets.assets.contains(models["Asset"](id=2)))
    ).all() == [1]


def test_comparisons_with_nothing(models: Models, session: Session) -> None:
    shot, task_of = models["Shot"](id=1), models["Task"]
    session.add_all([shot, task_of(id=1, entity=shot), task_of(id=2)])
    session.commit()
    assert session.scalars(sa.select(task_of.id).where(task_of.entity == None)).all() == [2]  # noqa: E711
    assert session.scalars(sa.select(task_of.id).where(task_of.entity != None)).all() == [1]  # noqa: E711
    assert session.scalars(sa.select(task_of.id).where(task_of.entity != shot)).all() == [2]
    assert session.scalars(sa.select(task_of.id).where(task_of.entity.in_([]))).all() == []


# --- lists


def test_a_list_is_written_when_it_is_flushed_and_forgotten_when_that_is_undone(
    models: Models, session: Session
) -> None:
    assets = [models["Asset"](id=number) for number in (1, 2, 3)]
    shot = models["Shot"](id=9, assets=assets[:2])
    session.add_all([shot, *assets])
    session.commit()
    shot.assets.append(assets[2])
    shot.assets.append(assets[2])
    assert [asset.id for asset in shot.assets] == [1, 2, 3]
    session.rollback()
    assert shot.assets == assets[:2]
    with session.begin_nested() as savepoint:
        shot.assets = [assets[2]]
        session.flush()
        savepoint.rollback()
    assert shot.assets == assets[:2]
    shot.assets.remove(assets[0])
    session.commit()
    assert rows(session, models, "shot__assets") == {(9, "Asset", 2)}


def test_expiring_a_column_keeps_what_was_changed_in_a_list(models: Models, session: Session) -> None:
    asset = models["Asset"](id=1)
    shot = models["Shot"](id=9, code="a")
    session.add_all([asset, shot])
    session.commit()
    shot.assets.append(asset)
    session.expire(shot, ["code"])
    assert shot.assets == [asset]
    session.expire(shot)
    assert shot.assets == []
    shot.assets.append(asset)
    session.expire(shot, ["code"])
    assert (shot.code, shot.assets) == ("a", [asset])
    session.commit()
    assert rows(session, models, "shot__assets") == {(9, "Asset", 1)}


def rows(session: Session, models: Models, table: str) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in session.execute(sa.select(models.metadata.tables[table]))}


def test_links_of_a_list_to_missing_records_stay(models: Models, session: Session) -> None:
    shot = models["Shot"](id=1)
    session.add(shot)
    session.flush()
    session.execute(
        models.metadata.tables["shot__assets"].insert().values(owner_id=1, linked_type="Asset", linked_id=7)
    )
    session.commit()
    assert shot.assets == []
    assert 7 not in shot.assets
    asset = models["Asset"](id=8)
    session.add(asset)
    shot.assets.append(asset)
    session.commit()
    assert rows(session, models, "shot__assets") == {(1, "Asset", 7), (1, "Asset", 8)}
    shot.assets = [asset]
    session.commit()
    assert rows(session, models, "shot__assets") == {(1, "Asset", 8)}
    shot.assets.clear()
    session.delete(shot)
    session.commit()
    assert rows(session, models, "shot__assets") == set()


def test_both_ends_agree_after_a_flush(models: Models, session: Session) -> None:
    departments = [models["Department"](id=number) for number in (1, 2)]
    people = [models["HumanUser"](id=number) for number in (11, 12)]
    session.add_all([*departments, *people])
    session.flush()

    people[0].department = departments[0]
    departments[0].users.append(people[1])
    session.flush()
    assert departments[0].users == people
    assert people[1].department is departments[0]

    people[0].department_id = 2  # by its column
    session.flush()
    assert (departments[0].users, departments[1].users) == ([people[1]], [people[0]])

    departments[1].users = people
    session.flush()
    assert [person.department for person in people] == [departments[1]] * 2
    assert departments[0].users == []

    session.delete(people[0])
    session.commit()
    assert departments[1].users == [people[1]]
    assert rows(session, models, "department__users") == {(2, "HumanUser", 12)}


def test_both_ends_agree_for_what_is_new_in_any_order(models: Models, session: Session) -> None:
    department = models["Department"](id=1)
    person = models["HumanUser"](id=2)
    department.users.append(person)
    task, blocker = models["Task"](id=3), models["Task"](id=4)
    task.upstream_tasks.append(blocker)
    session.add_all([person, blocker, task, department])
    session.commit()
    session.expunge_all()
    assert session.get_one(models["HumanUser"], 2).department.id == 1
    assert [found.id for found in session.get_one(models["Task"], 4).downstream_tasks] == [3]


def test_a_link_of_many_types_tells_the_right_end() -> None:
    models = build_models(
        site(
            Task={"entity": "entity:Asset,Shot"},
            Shot={"tasks": "multi_entity:Task"},
            Asset={"tasks": "multi_entity:Task"},
        )
    )
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    with Session(engine) as session:
        shot, asset = models["Shot"](id=1), models["Asset"](id=1)
        task = models["Task"](id=5, entity=shot)
        session.add_all([shot, asset, task])
        session.flush()
        assert (shot.tasks, asset.tasks) == ([task], [])
        task.entity = asset
        session.flush()
        assert (shot.tasks, asset.tasks) == ([], [task])
        shot.tasks.append(task)
        session.commit()
        assert (task.entity, asset.tasks) == (shot, [])
    engine.dispose()


def test_a_list_that_cannot_be_set_stays_as_it_was(models: Models) -> None:
    department, person = models["Department"](), models["HumanUser"](id=1)
    with pytest.raises(ValueError, match="no id"):
        department.users.append(person)
    assert (department.users, person.department) == ([], None)
    shot, asset = models["Shot"](id=1), models["Asset"](id=1)
    shot.assets = [asset]
    refuse_invalid(models.Base)
    with pytest.raises(RefusedValueError):
        shot.assets = [models["Asset"](id=2), shot]
    with pytest.raises(RefusedValueError):
        shot.assets.append(shot)
    with pytest.raises(TypeError):
        shot.assets = [models["Asset"](id=2), "an asset"]
    assert shot.assets == [asset]


# --- lists in SQL


def test_lists_in_sql_are_lists_in_python(models: Models, session: Session) -> None:
    """Whatever else the query around them asks of the same tables."""
    shot_of, asset_of, task_of = models["Shot"], models["Asset"], models["Task"]
    assets = [asset_of(id=n, code="a" if n < 3 else "b") for n in range(1, 5)]
    shots = [shot_of(id=n, code="xy"[n % 2], assets=assets[n - 1 :]) for n in range(1, 5)]
    tasks = [task_of(id=n, content="pq"[n % 2], entity=shots[n % 4]) for n in range(1, 5)]
    tasks[3].upstream_tasks = tasks[:2]
    tasks[2].upstream_tasks = [tasks[0]]
    session.add_all([*assets, *shots, *tasks])
    session.commit()

    def asked(query: Any) -> Any:
        return sorted(map(tuple, session.execute(query)))

    has_a = shot_of.assets.any(asset_of, asset_of.code == "a")
    with_a = [shot for shot in shots if any(asset.code == "a" for asset in shot.assets)]
    with_first = [shot for shot in shots if assets[0] in shot.assets]
    assert 0 < len(with_a) < len(shots)
    assert asked(sa.select(shot_of.id).where(has_a)) == [(shot.id,) for shot in with_a]
    assert asked(sa.select(shot_of.id, asset_of.id).where(has_a, asset_of.id > shot_of.id)) == [
        (shot.id, asset.id) for shot in with_a for asset in assets if asset.id > shot.id
    ]
    pairs = sa.select(shot_of.id, asset_of.id).select_from(shot_of.assets.join(asset_of))
    assert asked(pairs.where(has_a)) == [(shot.id, asset.id) for shot in with_a for asset in shot.assets]
    assert asked(pairs.where(shot_of.assets.contains(assets[2]))) == [
        (shot.id, asset.id) for shot in shots if assets[2] in shot.assets for asset in shot.assets
    ]
    assert asked(sa.select(task_of.id).join(shot_of, task_of.entity.of(shot_of)).where(has_a)) == [
        (task.id,) for task in tasks if task.entity in with_a
    ]
    inner = sa.exists().where(task_of.entity.of(shot_of), shot_of.assets.contains(assets[0]))
    assert asked(sa.select(task_of.id).where(inner)) == [(task.id,) for task in tasks if task.entity in with_first]

    other = aliased(task_of)
    blocked = task_of.upstream_tasks.any(other, other.content == task_of.content)
    with_same = [task for task in tasks if any(up.content == task.content for up in task.upstream_tasks)]
    assert asked(sa.select(task_of.id, other.id).where(blocked, other.id <= task_of.id)) == [
        (task.id, beside.id) for task in with_same for beside in tasks if beside.id <= task.id
    ]
    contains = other.upstream_tasks.contains(tasks[1])
    assert asked(sa.select(other.id, task_of.id).where(contains, task_of.id < other.id)) == [
        (task.id, beside.id) for task in tasks if tasks[1] in task.upstream_tasks for beside in tasks[: task.id - 1]
    ]
    with pytest.raises(ValueError, match=r"aliased\(Task\)"):
        task_of.upstream_tasks.any(task_of, task_of.content == "p")

    session.execute(sa.delete(shot_of).where(has_a))
    left = [(shot.id,) for shot in shots if shot not in with_a]
    assert asked(sa.select(shot_of.id)) == left


# --- sets of classes


def test_sets_know_nothing_of_each_other() -> None:
    one, other = build_models(tracker()), build_models(tracker())
    assert one["Shot"] is not other["Shot"]
    assert one.metadata is not other.metadata
    refuse_invalid(one.Base)
    with pytest.raises(RefusedValueError):
        one["Shot"](id=1, sg_status_list="no")
    assert other["Shot"](id=1, sg_status_list="no").sg_status_list == "no"
    assert set(one) == set(other) == {*tracker().entity_types}
    with pytest.raises(KeyError):
        one["Nothing"]


def test_names_that_are_taken_get_an_underscore() -> None:
    models = build_models(site(Shot={"metadata": "serializable", "class": "text", "date": "date", "as_dict": "text"}))
    shot = models["Shot"](id=1, metadata_={"a": 1}, class_="x", as_dict_="y")
    assert shot.as_dict() == {"type": "Shot", "id": 1, "metadata_": {"a": 1}, "class_": "x", "as_dict_": "y"}


# --- few queries


@pytest.fixture
def tasks(models: Models, session: Session) -> list[Any]:
    """300 tasks of shots and assets, all in one project; the session has forgotten all else."""
    project = models["Project"](id=1, name="P")
    sequence = models["Sequence"](id=2, code="S", project=project)
    targets = [models["Shot"](id=n, code=f"s{n}", sg_sequence=sequence, project=project) for n in range(1, 101)]
    targets += [models["Asset"](id=n, code=f"a{n}", project=project) for n in range(1, 51)]
    found = [models["Task"](id=n, content="t", project=project, entity=targets[n % 150]) for n in range(1, 301)]
    found.append(models["Task"](id=301, entity_id=999, entity_type="Shot"))
    session.add_all([project, sequence, *targets, *found])
    session.commit()
    session.expunge_all()
    return list(session.scalars(sa.select(models["Task"]).order_by(models["Task"].id)))


def test_prefetch_is_one_query_for_each_type(models: Models, session: Session, tasks: list[Any]) -> None:
    task_of = models["Task"]
    with counted(session) as statements:
        prefetch(session, tasks, task_of.entity, task_of.project, task_of.task_assignees)
    assert len(statements) == 4  # shots, assets, the project, the link table
    with counted(session) as statements:
        for task in tasks:
            _ = task.entity, task.project, list(task.task_assignees)
    assert statements == []
    with counted(session) as statements:
        prefetch(session, tasks[:300], task_of.entity, task_of.project)
    assert statements == [], "what the session has is not asked for"


@pytest.mark.filterwarnings("ignore:coroutine 'Connection.cursor' was never awaited:RuntimeWarning")
def test_an_async_session_reads_links_in_run_sync(models: Models) -> None:
    asyncio.run(reads_links_in_run_sync(models))
    gc.collect()  # of what SQLAlchemy was refused it says that nobody awaited it: here, not in another test


async def reads_links_in_run_sync(models: Models) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(models.metadata.create_all)
    async with AsyncSession(engine) as session:
        shot = models["Shot"](id=1, assets=[models["Asset"](id=2)])
        session.add_all([shot, *shot.assets, models["Task"](id=3, entity=shot)])
        await session.commit()
        session.expunge_all()
        task = (await session.scalars(sa.select(models["Task"]))).one()
        with pytest.raises(StatementError, match="greenlet_spawn"):
            _ = task.entity
        assert (await session.run_sync(lambda _: task.entity)).id == 1
        with pytest.raises(StatementError, match="greenlet_spawn"):
            list(task.entity.assets)
        await session.run_sync(prefetch, [task.entity], models["Shot"].assets)
        assert [asset.id for asset in task.entity.assets] == [2]
    await engine.dispose()


def test_load_fields_reads_what_it_is_told(models: Models, session: Session, tasks: list[Any]) -> None:
    with counted(session) as statements:
        load_fields(
            session,
            tasks,
            "content",
            "entity.{Asset,Shot}.{code,sg_status_list}",
            "entity.Shot.sg_sequence.project.name",
        )
    assert len(statements) == 4  # assets, shots, the sequence, the project
    with counted(session) as statements:
        assert tasks[0].entity.as_dict() == {
            "type": "Shot", "id": 2, "code": "s2", "sg_status_list": None, "sg_sequence": {"type": "Sequence", "id": 2},
        }  # fmt: skip
        assert tasks[0].entity.sg_sequence.project.name == "P"
        assert tasks[299].entity.code == "s1"
    assert statements == []
    with counted(session) as statements:
        assert tasks[0].entity.sg_cut_in is None
    assert len(statements) == 1, "what was left out is read when it is looked at"


@pytest.mark.parametrize("path", ["nothing", "entity.Shot.nothing", "content.code", "entity.{code", "entity}.code"])
def test_paths_that_lead_nowhere(session: Session, tasks: list[Any], path: str) -> None:
    with pytest.raises(PathError):
        load_fields(session, tasks, path)


def test_parents_cost_a_query_for_each_level_and_type(session: Session, tasks: list[Any]) -> None:
    with counted(session) as statements:
        chains = parents(session, tasks)
    assert len(statements) == 4  # shots and assets, their sequence and project together, and the missing shot's again
    assert [parent.as_dict()["type"] for parent in chains[tasks[0]]] == ["Shot", "Sequence", "Project"]
    assert [parent.as_dict()["type"] for parent in chains[tasks[99]]] == ["Asset", "Project"]
    assert chains[tasks[300]] == []


def test_parents_end_where_records_lead_in_a_circle(models: Models, session: Session) -> None:
    one, two = (
        models["Task"](id=1, entity_id=2, entity_type="Task"),
        models["Task"](id=2, entity_id=1, entity_type="Task"),
    )
    session.add_all([one, two])
    session.flush()
    assert parents(session, [one]) == {one: [two]}


def test_backrefs_of_many(models: Models, session: Session, tasks: list[Any]) -> None:
    shots = session.scalars(sa.select(models["Shot"]).order_by(models["Shot"].id)).all()
    with counted(session) as statements:
        found = backrefs(session, shots, models["Task"].entity)
    assert len(statements) == 1
    assert [task.id for task in found[shots[0]]] == [150, 300]
    assert backrefs(session, shots[0], models["Task"].entity) == found[shots[0]]
    assert backrefs(session, models["Asset"](id=99), models["Shot"].assets) == []


# --- values


def test_values_are_pythons(databases: Databases, engine_name: str) -> None:
    models = build_models(tracker())
    engine = sa.create_engine(databases.new(engine_name))
    models.metadata.create_all(engine)
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    with Session(engine) as session:
        session.add(models["Version"](id=1, created_at=moment, sg_bid=Decimal("9999999999999.99"), tag_list=["a"]))
        session.add(models["Version"](id=2, tag_list=None))
        session.commit()
        version = session.get_one(models["Version"], 1)
        assert (version.created_at, version.created_at.utcoffset()) == (moment, timedelta(0))
        assert version.sg_bid == Decimal("9999999999999.99")
        assert type(version.sg_bid) is Decimal
        assert session.scalars(sa.select(models["Version"].id).where(models["Version"].tag_list.is_(None))).all() == [2]
        assert session.scalars(sa.select(models["Version"].id).where(models["Version"].created_at == moment)).all() == [
            1
        ]
        version.created_at = datetime(2026, 3, 1)
        with pytest.raises(StatementError, match="no time zone"):
            session.flush()
    engine.dispose()


def test_rows_of_the_api(models: Models, session: Session) -> None:
    row = {
        "type": "Version", "id": 5, "code": "v", "created_at": "2026-03-01T12:00:00Z", "sg_bid": 12.5, "unknown": 1,
        "entity": {"type": "Shot", "id": 9, "name": "s"}, "published_files": [{"type": "PublishedFile", "id": 3}],
    }  # fmt: skip
    assert upsert(session, [models.record(row)]) == 1
    assert upsert(session, [models.record({**row, "code": None, "published_files": []})]) == 1
    session.commit()
    version = session.get_one(models["Version"], 5)
    assert (version.code, version.entity_type, version.entity_id) == (None, "Shot", 9)
    assert version.created_at == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    assert rows(session, models, "version__published_files") == set()
    for wrong in (
        {"id": 1},
        {"type": "Nothing", "id": 1},
        {"type": "Shot"},
        {"type": "Shot", "id": 1, "sg_cut_in": "x"},
    ):
        with pytest.raises(RowError):
            models.record(wrong)


def test_upsert_shows_in_the_session(models: Models, session: Session) -> None:
    session.add(models["Shot"](id=1, code="old", sg_cut_in=7))
    session.commit()
    shot = session.get_one(models["Shot"], 1)
    upsert(session, [models["Shot"](id=1, code="new"), models["Shot"](id=2)])
    assert (shot.code, shot.sg_cut_in) == ("new", 7)
    assert get_by(session, models["Shot"], sg_cut_in=None, code=None) is session.get(models["Shot"], 2)
    with pytest.raises(sa.exc.MultipleResultsFound):
        get_by(session, models["Shot"], project=None)


def test_an_upsert_of_many_is_few_statements(models: Models, session: Session) -> None:
    shots = [models["Shot"](id=n, code=f"s{n}") for n in range(1, 201)]
    for shot in shots:
        shot.assets = [models["Asset"](id=n) for n in (shot.id, shot.id + 1)]
    for written in (shots[:2], shots):
        with counted(session) as statements:
            upsert(session, written)
        assert [statement.split()[0] for statement in statements] == ["INSERT", "DELETE", "INSERT"]
    linked = {(n, "Asset", to) for n in range(1, 201) for to in (n, n + 1)}
    assert rows(session, models, "shot__assets") == linked


@pytest.mark.parametrize(
    ("code", "name", "value", "allowed"),
    [
        ("Shot", "sg_status_list", "no", "fin, ip, wtg"),
        ("Shot", "sg_cut_in", 2**31, "-2,147,483,648 to 2,147,483,647"),
        ("Shot", "sg_cut_in", "7", "numbers"),
        ("Version", "sg_bid", Decimal("1e13"), "9,999,999,999,999.99"),
        ("Task", "entity", "Project", "Asset, Sequence, Shot"),
        ("Shot", "assets", ["Shot"], "Asset"),
    ],
)
def test_refused_values_name_what_is_allowed(code: str, name: str, value: Any, allowed: str) -> None:
    models = build_models(tracker())
    refuse_invalid(models.Base)
    if isinstance(value, list):
        value = [models[target](id=1) for target in value]
    elif value in models:
        value = models[value](id=1)
    record = models[code](id=1)
    before = record.as_dict()
    with pytest.raises(RefusedValueError, match=allowed):
        setattr(record, name, value)
    assert record.as_dict() == before
    setattr(record, name, [] if name == "assets" else None)


def test_what_the_site_takes_is_taken(models: Models) -> None:
    refuse_invalid(models.Base)
    shot = models["Shot"](id=1, sg_status_list="fin", sg_cut_in=-5)
    shot.assets = [models["Asset"](id=1)]
    assert models["Task"](id=1, entity=shot).entity is shot
