"""From a transition to the operations of the next revision. Pure; no database, no site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alembic.operations import ops

from sg_migrate.conversion.operations import CarryLinksOp, ConvertColumnOp
from sg_migrate.revisions.operations import AlterOp, BatchOp, CommentsOp, GroupOps, MarkTableOp, RenameOp
from sg_migrate.revisions.table_operations import AddIndexOp, CreateOp, RemoveIndexOp
from sg_migrate.warehouse.mark import CATALOG, Mark
from sg_migrate.warehouse.state import ColumnState, TableState
from sg_migrate.warehouse.transition import TablePair, Transition


def plan(transition: Transition) -> list[ops.MigrateOperation]:
    """The operations of a transition: one group per entity type, foreign keys, comments.

    The groups are in the order of the entity types' names, the catalog's last. No operations: nothing to do.
    """
    pairs = [pair for pair in transition.tables if pair.old is not pair.new]
    pairs.sort(key=lambda pair: not pair.becomes_former)  # another table may take its name
    groups: list[ops.MigrateOperation] = []
    dropped_keys = [op for pair in pairs for op in _drop_foreign_keys(pair.old, pair.new)]
    if dropped_keys:
        groups.append(GroupOps("Foreign keys", dropped_keys))
    by_entity_type: dict[str, list[ops.MigrateOperation]] = {}
    for pair in pairs:
        by_entity_type.setdefault(pair.either.mark.entity_type, []).extend(_table(pair))
    for move in transition.link_moves:
        by_entity_type[move.mark.entity_type].append(
            CarryLinksOp(move.table, str(move.mark), move.id_column, move.type_column, move.link_table, move.to_table)
        )
    for entity_type in sorted(by_entity_type, key=lambda code: (code == CATALOG, code)):
        if by_entity_type[entity_type]:
            heading = "The catalog" if entity_type == CATALOG else entity_type
            groups.append(GroupOps(heading, by_entity_type[entity_type]))
    added_keys = [op for pair in pairs for op in _add_foreign_keys(pair.old, pair.new)]
    if added_keys:
        groups.append(GroupOps("Foreign keys", added_keys))
    comments = [op for pair in pairs for op in _comments(pair)]
    if comments:
        groups.append(CommentsOp(comments))
    return groups


def _table(pair: TablePair) -> Iterator[ops.MigrateOperation]:
    """The operations of one table, comments and foreign keys aside."""
    if pair.old is None:
        yield from _create(pair.either)
    elif pair.new is None:
        for operation in reversed(list(_create(pair.old))):
            yield operation.reverse()
    else:
        for before, after in _rename_steps(pair.old.name, pair.new.name):
            yield RenameOp(before, after)
        if pair.old.mark != pair.new.mark:
            yield MarkTableOp(pair.new.name, pair.old.mark, pair.new.mark)
        yield from _columns(pair, pair.old, pair.new)


def _create(table: TableState) -> Iterator[ops.MigrateOperation]:
    yield CreateOp(table)
    for name, columns in sorted(table.indexes.items()):
        yield AddIndexOp(name, table.name, columns)


def _rename_steps(old: str, new: str) -> list[tuple[str, str]]:
    """One rename, or two where only the case differs: SQLite and MySQL refuse to do that in one."""
    if old == new:
        return []
    if old.lower() != new.lower():
        return [(old, new)]
    between = f"{old[:59]}__sg"
    return [(old, between), (between, new)]


def _columns(pair: TablePair, old: TableState, new: TableState) -> Iterator[ops.MigrateOperation]:
    """The operations on the columns and indexes of a table that stays."""
    names = pair.renamed_columns
    present = {name: tuple(names.get(c, c) for c in columns) for name, columns in old.indexes.items()}
    stale = [name for name, columns in present.items() if new.indexes.get(name) != columns]
    fresh = [name for name, columns in new.indexes.items() if present.get(name) != columns]
    for name in sorted(stale):
        yield RemoveIndexOp(name, new.name, old.indexes[name])
    converted = {column.new.name: taking_over for column, taking_over in pair.conversions if column.new}
    yield from _renames(pair, new.name, converted)
    taken_over = {column.name for column in converted.values()}
    for column in pair.columns:
        if column.old is None and column.either.name not in taken_over:
            yield ops.AddColumnOp(new.name, column.either.to_column())
        elif column.old is not None and column.new is not None and column.old.type_text != column.new.type_text:
            renamed = replace(column.old, name=column.new.name, mark=_mark_once_renamed(column.old, column.new))
            yield AlterOp(new.name, renamed, replace(renamed, type=column.new.type))
    for name in sorted(fresh):
        yield AddIndexOp(name, new.name, new.indexes[name])
    for column in pair.columns:
        if column.new is None:
            yield ops.AddColumnOp(new.name, column.either.to_column()).reverse()


def _renames(pair: TablePair, table: str, converted: dict[str, ColumnState]) -> Iterator[ops.MigrateOperation]:
    """Columns that get another name: the old column of a conversion among them."""
    for column in pair.columns:
        if column.old is None or column.new is None or column.old.name == column.new.name:
            continue
        if column.new.name in converted:
            yield ConvertColumnOp(table, column.old, converted[column.new.name], column.new)
            continue
        for source, target in _rename_steps(column.old.name, column.new.name):
            before = replace(column.old, name=source)
            after = replace(before, name=target)
            if target == column.new.name:
                after = replace(after, mark=column.new.mark)
            yield AlterOp(table, before, after)


def _mark_once_renamed(old: ColumnState, new: ColumnState) -> Mark:
    """A rename carries the new mark; without one, the block of comments does."""
    return new.mark if old.name != new.name else old.mark


def _add_foreign_keys(old: TableState | None, new: TableState | None) -> Iterator[ops.MigrateOperation]:
    added: list[ops.MigrateOperation] = [
        ops.CreateForeignKeyOp(name, new.name, key.referred_table, list(key.columns), list(key.referred_columns))
        for name, key in (new.foreign_keys if new else {}).items()
        if new and (old is None or old.foreign_keys.get(name) != key)
    ]
    if new and added:
        yield BatchOp(new.name, added)


def _drop_foreign_keys(old: TableState | None, new: TableState | None) -> Iterator[ops.MigrateOperation]:
    for operation in _add_foreign_keys(new, old):
        yield operation.reverse()


def _comments(pair: TablePair) -> Iterator[ops.MigrateOperation]:
    """What differs in comments and marks of columns, once everything else is as wanted."""
    old, new = pair.old, pair.new
    if old is None or new is None:
        return
    if old.comment != new.comment:
        if new.comment is None:
            yield ops.DropTableCommentOp(new.name, existing_comment=old.comment)
        else:
            yield ops.CreateTableCommentOp(new.name, new.comment, existing_comment=old.comment)
    converted = {column.new.name for column, _ in pair.conversions if column.new}
    for column in pair.columns:
        if column.old is None or column.new is None or column.new.name in converted:
            continue
        mark = _mark_once_renamed(column.old, column.new)
        before = replace(column.old, name=column.new.name, type=column.new.type, mark=mark)
        if before != column.new:
            yield AlterOp(new.name, before, column.new)
