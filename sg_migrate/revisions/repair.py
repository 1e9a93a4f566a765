"""From the drift of a database to the operations that mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa
from alembic.operations import ops

from sg_migrate.database.drift import Drift
from sg_migrate.database.repairs import check_cast
from sg_migrate.revisions.operations import BatchOp, RepairColumnOp, RepairOps
from sg_migrate.warehouse.state import State, to_metadata

REPAIRS = "Repairs of what was changed by hand in the database"
"""The comment line above them in a revision."""


def repair(connection: sa.Connection, found: Sequence[Drift], built: State) -> RepairOps:
    """The operations that bring the database to what was built; nothing in them comes from reflection.

    Raises:
        CastError: a column that got another type holds values.
    """
    for one in found:
        if one.what == "type":
            check_cast(connection, one.table, one.name, built[one.table].columns[one.name].type)
    return RepairOps(REPAIRS, list(_repairs(found, built)))


def possible_repairs(built: State) -> Iterator[list[ops.MigrateOperation]]:
    """The operations for everything that can have been changed by hand in these tables."""
    for table in built.values():
        yield list(_repairs([Drift("table", table.name), Drift("comment", table.name)], built))
        for name in table.columns:
            yield list(_repairs([Drift("column", table.name, name)], built))
            yield list(_repairs([Drift("type", table.name, name)], built))
            yield list(_repairs([Drift("nullable", table.name, name)], built))
        yield list(_repairs([Drift("index", table.name, name, found=True) for name in table.indexes], built))
        yield list(_repairs([Drift("foreign key", table.name, name, found=True) for name in table.foreign_keys], built))


def _repairs(found: Sequence[Drift], built: State) -> Iterator[ops.MigrateOperation]:
    mended: set[tuple[str, str]] = set()
    retyped = {(one.table, one.name) for one in found if one.what == "type"}
    metadata = _unmarked({one.table: built[one.table] for one in found})
    for one in found:
        table, sa_table = built[one.table], metadata.tables[one.table]
        place = (one.table, one.name)
        if one.what == "table":
            yield ops.CreateTableOp.from_table(sa_table)
        elif one.what == "column":
            column = table.columns[one.name].to_column()
            column.info.clear()
            yield ops.AddColumnOp(table.name, column)
        elif one.what == "index":
            (index,) = [index for index in sa_table.indexes if index.name == one.name]
            if one.found is not None:
                yield ops.DropIndexOp(one.name, table.name)
            yield ops.CreateIndexOp.from_index(index)
        elif one.what == "foreign key":
            key = table.foreign_keys[one.name]
            referred = list(key.referred_columns)
            if one.found is not None:
                yield BatchOp(table.name, [ops.DropConstraintOp(one.name, table.name, type_="foreignkey")])
            create = ops.CreateForeignKeyOp(one.name, table.name, key.referred_table, list(key.columns), referred)
            yield BatchOp(table.name, [create])
        elif one.name and place not in mended:
            mended.add(place)
            yield RepairColumnOp(table.name, table.columns[one.name], retyped=place in retyped)
        elif not one.name:
            yield ops.CreateTableCommentOp(table.name, table.comment)


def _unmarked(built: State) -> sa.MetaData:
    """The tables without their marks: the replay counts what carries one, and has counted these already."""
    metadata = to_metadata({name: replace(table, foreign_keys={}) for name, table in built.items()})
    for table in metadata.tables.values():
        table.info.clear()
        for column in table.columns:
            column.info.clear()
    return metadata
