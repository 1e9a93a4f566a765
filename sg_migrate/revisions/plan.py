"""From what is built to what is wanted: the operations of the next revision. Pure; no database, no site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.revisions.built import as_former, renamed_column
from sg_migrate.revisions.operations import (
    AlterOp,
    BatchOp,
    CarryLinksOp,
    CommentsOp,
    ConvertColumnOp,
    GroupOps,
    RenameOp,
)
from sg_migrate.warehouse.state import CATALOG, ColumnState, State, TableState, to_metadata

_Pair: TypeAlias = "tuple[TableState | None, TableState | None]"
"""A table as built and as wanted."""


def plan(built: State, model: State) -> list[ops.MigrateOperation]:
    """The operations that lead from ``built`` to ``model``: one group per entity type, foreign keys, comments.

    The groups are in the order of the entity types' names, the catalog's last. No operations: nothing to do.
    """
    pairs = _pairs(built, model)
    groups: list[ops.MigrateOperation] = []
    dropped_keys = [op for old, new in pairs for op in _drop_foreign_keys(old, new)]
    if dropped_keys:
        groups.append(GroupOps("Foreign keys", dropped_keys))
    by_entity_type: dict[str, list[ops.MigrateOperation]] = {}
    for old, new in pairs:
        table = new or old
        assert table is not None
        by_entity_type.setdefault(table.mark.entity_type, []).extend(_table(old, new))
    for links in _moved_links(pairs):
        by_entity_type[links.mark.entity_type].append(links)
    for entity_type in sorted(by_entity_type, key=_catalog_last):
        if by_entity_type[entity_type]:
            title = "The catalog" if entity_type == CATALOG else entity_type
            groups.append(GroupOps(title, by_entity_type[entity_type]))
    added_keys = [op for old, new in pairs for op in _add_foreign_keys(old, new)]
    if added_keys:
        groups.append(GroupOps("Foreign keys", added_keys))
    comments = [op for old, new in pairs if old and new for op in _comments(_rebuilt(old, new), new)]
    if comments:
        groups.append(CommentsOp(comments))
    return groups


def _pairs(built: State, model: State) -> list[_Pair]:
    """The tables of both sides matched by what they stand for; new tables first within an entity type."""
    current = {_identity(table): table for table in built.values()}
    pairs: list[_Pair] = []
    for table in model.values():
        old = current.pop(_identity(table), None) or _becomes_former(current, table)
        pairs.append((old, table))
    return pairs + [(table, None) for table in current.values()]


def _becomes_former(current: dict[tuple[str, str, str], TableState], table: TableState) -> TableState | None:
    """The built table that ``table`` keeps from now on under its former name."""
    if not table.mark.was:
        return None
    return current.pop((table.mark.entity_type, table.mark.field, ""), None)


def _identity(table: TableState) -> tuple[str, str, str]:
    return (table.mark.entity_type, table.mark.field, table.name if table.mark.was else "")


def _catalog_last(entity_type: str) -> tuple[bool, str]:
    return (entity_type == CATALOG, entity_type)


def _table(old: TableState | None, new: TableState | None) -> Iterator[ops.MigrateOperation]:
    """The operations of one table, comments and foreign keys aside."""
    if old is None:
        assert new is not None
        yield from _create(new)
    elif new is None:
        yield from _drop(old)
    else:
        yield from _rename_table(old.name, new.name)
        yield from _columns(replace(old, name=new.name), new)


def _create(table: TableState) -> Iterator[ops.MigrateOperation]:
    sa_table = to_metadata({table.name: replace(table, foreign_keys={})}).tables[table.name]
    yield ops.CreateTableOp.from_table(sa_table)
    for index in sorted(sa_table.indexes, key=lambda index: str(index.name)):
        yield ops.CreateIndexOp.from_index(index)


def _drop(table: TableState) -> Iterator[ops.MigrateOperation]:
    for operation in reversed(list(_create(table))):
        yield operation.reverse()


def _rename_table(old: str, new: str) -> Iterator[ops.MigrateOperation]:
    for before, after in _rename_steps(old, new):
        yield RenameOp(before, after)


def _rename_steps(old: str, new: str) -> list[tuple[str, str]]:
    """One rename, or two where only the case differs: SQLite and MySQL refuse to do that in one."""
    if old == new:
        return []
    if old.lower() != new.lower():
        return [(old, new)]
    between = f"{old[:59]}__sg"
    return [(old, between), (between, new)]


def _columns(old: TableState, new: TableState) -> Iterator[ops.MigrateOperation]:
    """The operations on the columns and indexes of a table that stays."""
    rebuilt = _rebuilt(old, new)
    yield from _drop_indexes(old, new, rebuilt)
    conversions = {former.name: current for former, current in _conversions(old, new)}
    for before, after in _renames(old, new):
        if after.name in conversions:
            yield ConvertColumnOp(new.name, before, conversions[after.name], after.name)
        else:
            for source, target in _rename_steps(before.name, after.name):
                changed = replace(before, name=target, mark=after.mark if target == after.name else before.mark)
                yield AlterOp(new.name, replace(before, name=source), changed)
    for column in new.columns.values():
        if column.name not in rebuilt.columns and column not in conversions.values():
            yield ops.AddColumnOp(new.name, column.to_column())
        elif column.name in rebuilt.columns:
            yield from _widen(new.name, rebuilt.columns[column.name], column.type, column.type_text)
    yield from _create_indexes(new, rebuilt)
    for name, column in rebuilt.columns.items():
        if name not in new.columns:
            yield ops.AddColumnOp(new.name, column.to_column()).reverse()


def _moved_links(pairs: list[_Pair]) -> Iterator[CarryLinksOp]:
    """For every field of one link that becomes one of many, or the other way."""
    owners = {new.mark.entity_type: (old, new) for old, new in pairs if old and new and not new.mark.field}
    for before, links in pairs:
        if links is None or not links.mark.field or links.mark.entity_type not in owners:
            continue
        old, new = owners[links.mark.entity_type]
        to_table = before is None and not links.mark.was
        to_columns = before is not None and not before.mark.was and links.mark.was
        columns = _new_formers(old, new) if to_table else _added(old, new) if to_columns else []
        roles = {column.mark.role: column for column in columns if column.mark.field == links.mark.field}
        if "id" in roles and "type" in roles:
            field = links.mark if to_table else replace(roles["id"].mark, role="")
            names = roles["id"].name, roles["type"].name
            yield CarryLinksOp(new.name, str(field), *names, links.name, to_table)


def _new_formers(old: TableState, new: TableState) -> list[ColumnState]:
    return [after for _, after in _renames(old, new) if after.mark.was]


def _added(old: TableState, new: TableState) -> list[ColumnState]:
    built = {column.mark.key for column in old.columns.values() if not column.mark.was}
    return [column for column in new.columns.values() if not column.mark.was and column.mark.key not in built]


def _renames(old: TableState, new: TableState) -> Iterator[tuple[ColumnState, ColumnState]]:
    """Columns of ``old`` with what they are called in ``new``, where that differs."""
    wanted = {column.mark.key: column for column in new.columns.values() if not column.mark.was}
    former = {column.mark.key: column for column in new.columns.values()
              if column.mark.was and column.name not in old.columns}  # fmt: skip
    for column in old.columns.values():
        if column.mark.was:
            continue
        after = former.get(column.mark.key) or wanted.get(column.mark.key)
        if after is not None and after.name != column.name:
            yield column, after


def _conversions(old: TableState, new: TableState) -> Iterator[tuple[ColumnState, ColumnState]]:
    """Former columns of ``new`` that are not built yet, with the column that takes over from each."""
    wanted = {column.mark.key: column for column in new.columns.values() if not column.mark.was}
    for column in new.columns.values():
        if column.mark.was and column.name not in old.columns and column.mark.key in wanted:
            yield column, wanted[column.mark.key]


def _rebuilt(old: TableState, new: TableState) -> TableState:
    """``old`` after its renames and conversions: what remains to be compared with ``new``."""
    table = replace(as_former(old) if new.mark.was else old, name=new.name)
    conversions = {former.name: current for former, current in _conversions(old, new)}
    for before, after in _renames(old, new):
        if after.name in conversions:
            kept = replace(before, name=after.name, mark=after.mark, comment=after.comment)
            table = renamed_column(table, before.name, kept)
            added = conversions[after.name]
            table = replace(table, columns={**table.columns, added.name: added})
        else:
            table = renamed_column(table, before.name, replace(before, name=after.name, mark=after.mark))
    return table


def _widen(table: str, built: ColumnState, type_: TypeEngine[object], text: str) -> Iterator[ops.MigrateOperation]:
    if built.type_text != text:
        yield AlterOp(table, built, replace(built, type=type_))


def _drop_indexes(old: TableState, new: TableState, rebuilt: TableState) -> Iterator[ops.MigrateOperation]:
    if rebuilt.indexes == new.indexes:
        return
    metadata = to_metadata({old.name: replace(old, name=new.name, foreign_keys={})})
    for index in sorted(metadata.tables[new.name].indexes, key=lambda index: str(index.name)):
        if new.indexes.get(str(index.name)) != rebuilt.indexes[str(index.name)]:
            yield ops.CreateIndexOp.from_index(index).reverse()


def _create_indexes(new: TableState, rebuilt: TableState) -> Iterator[ops.MigrateOperation]:
    if rebuilt.indexes == new.indexes:
        return
    metadata = to_metadata({new.name: replace(new, foreign_keys={})})
    for index in sorted(metadata.tables[new.name].indexes, key=lambda index: str(index.name)):
        if rebuilt.indexes.get(str(index.name)) != new.indexes[str(index.name)]:
            yield ops.CreateIndexOp.from_index(index)


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


def _comments(rebuilt: TableState, new: TableState) -> Iterator[ops.MigrateOperation]:
    """What differs in comments and marks, once everything else is as wanted."""
    if rebuilt.comment != new.comment:
        if new.comment is None:
            yield ops.DropTableCommentOp(new.name, existing_comment=rebuilt.comment)
        else:
            yield ops.CreateTableCommentOp(new.name, new.comment, existing_comment=rebuilt.comment)
    for name, column in new.columns.items():
        built = rebuilt.columns.get(name)
        if built is not None:
            before = replace(built, type=column.type)
            if before != column:
                yield AlterOp(new.name, before, column)
