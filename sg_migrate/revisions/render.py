"""How our operations read in a revision file.

Registered with Alembic's renderers on import. Every text of the site passes through ``repr``: it can end no string and
hides nothing from a reviewer, because ``repr`` escapes what is not printable.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops
from sqlalchemy.types import TypeEngine

from sg_migrate.revisions.operations import (
    AlterOp,
    BatchOp,
    CarryLinksOp,
    CommentsOp,
    ConvertColumnOp,
    GroupOps,
    RenameOp,
    RepairColumnOp,
    RepairOps,
    RestoreColumnOp,
    RestoreLinksOp,
)
from sg_migrate.warehouse.mapping import FLOAT, JSON_VALUE, STRING, STRING_IN_INDEX, TEXT, TIMESTAMP
from sg_migrate.warehouse.state import ColumnState, type_text

_TABLE_COMMENTS = (ops.CreateTableCommentOp, ops.DropTableCommentOp)

_PORTABLE = {
    type_text(TEXT): ("mysql", "sg_text", 'sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")'),
    type_text(STRING): ("mysql", "sg_string", 'sa.String().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")'),
    type_text(FLOAT): (
        "mysql",
        "sg_float",
        'sa.Float(53).with_variant(mysql.DOUBLE(asdecimal=False), "mysql", "mariadb")',
    ),
    type_text(STRING_IN_INDEX): (
        "mysql",
        "sg_string_in_index",
        'sa.String().with_variant(mysql.VARCHAR(64), "mysql", "mariadb")',
    ),
    type_text(TIMESTAMP): (
        "mysql",
        "sg_timestamp",
        'sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")',
    ),
    type_text(JSON_VALUE): ("postgresql", "sg_json", 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'),
}
"""Types with variants: the dialect module they need, their name in a revision, and their definition there."""


def render_item(kind: str, item: Any, context: AutogenContext) -> str | bool:
    """Alembic's ``render_item`` hook: our columns with their marks, our types by name; ``False`` for all else."""
    if kind == "column" and "sg" in item.info:
        return _column(item, context)
    if kind == "type" and isinstance(item, TypeEngine):
        return _portable_type(item, context)
    return False


def _portable_type(type_: TypeEngine[Any], context: AutogenContext) -> str | bool:
    known = _PORTABLE.get(type_text(type_))
    if known is None:
        return False
    dialect, name, definition = known
    # Alembic sorts these lines: the definitions' names come after "from" and "import".
    context.imports.update([f"from sqlalchemy.dialects import {dialect}", f"{name} = {definition}"])
    return name


def _type(type_: TypeEngine[Any], context: AutogenContext) -> str:
    return str(_portable_type(type_, context) or f"sa.{type_!r}")


def _column(column: sa.Column[Any], context: AutogenContext) -> str:
    words = [repr(str(column.name)), _type(column.type, context)]
    if column.autoincrement is False:
        words.append("autoincrement=False")
    if not column.nullable:
        words.append("nullable=False")
    if column.comment is not None:
        words.append(f"comment={column.comment!r}")
    words.append(f"info={{'sg': {column.info['sg']!r}}}")
    return f"sa.Column({', '.join(words)})"


@renderers.dispatch_for(GroupOps)
def _group(context: AutogenContext, op: GroupOps) -> list[str]:
    lines = [f"# {op.title}"]
    for child in op.ops:
        lines.extend(render_op(context, child))
    return lines


@renderers.dispatch_for(CommentsOp)
def _comments(context: AutogenContext, op: CommentsOp) -> list[str]:
    lines = ["# Comments", "if op.get_context().dialect.supports_comments:"]
    for child in op.ops:
        lines.extend([_table_comment(child)] if isinstance(child, _TABLE_COMMENTS) else render_op(context, child))
    return [*lines, ""]


def _table_comment(op: ops.CreateTableCommentOp | ops.DropTableCommentOp) -> str:
    """On one line, as the block of comments has them."""
    words = [repr(op.table_name)]
    if isinstance(op, ops.CreateTableCommentOp):
        words.append(repr(op.comment))
    words.append(f"existing_comment={op.existing_comment!r}")
    name = "create_table_comment" if isinstance(op, ops.CreateTableCommentOp) else "drop_table_comment"
    return f"op.{name}({', '.join(words)})"


@renderers.dispatch_for(AlterOp)
def _alter(context: AutogenContext, op: AlterOp) -> list[str]:
    words = [repr(op.old.name)]
    if op.modify_name is not None:
        words.append(f"new_column_name={op.new.name!r}")
    if op.modify_type is not None:
        words.append(f"type_={_type(op.new.type, context)}")
    if op.modify_comment is not False:
        words.append(f"comment={op.modify_comment!r}")
    words.append(f"existing_type={_type(op.old.type, context)}")
    words.append(f"existing_nullable={op.old.nullable!r}")
    if op.old.comment is not None:
        words.append(f"existing_comment={op.old.comment!r}")
    if "info" in op.kw:
        words.append(f"info={op.kw['info']!r}")
    if "postgresql_using" in op.kw:
        words.append(f"postgresql_using={op.kw['postgresql_using']!r}")
    if op.modify_type is None:
        return [f"op.alter_column({', '.join([repr(op.table_name), *words])})"]
    return [
        f"with op.batch_alter_table({op.table_name!r}) as batch_op:",
        f"batch_op.alter_column({', '.join(words)})",
        "",
    ]


@renderers.dispatch_for(BatchOp)
def _batch(context: AutogenContext, op: BatchOp) -> list[str]:
    lines = [f"with op.batch_alter_table({op.table_name!r}) as batch_op:"]
    with context._within_batch():
        for child in op.ops:
            lines.extend(render_op(context, child))
    return [*lines, ""]


_MISSING = "from sg_migrate.database.repairs import missing"


@renderers.dispatch_for(RepairOps)
def _repairs(context: AutogenContext, op: RepairOps) -> list[str]:
    """Each repair under the question whether this database needs it: others that run this revision may not."""
    lines = [f"# {op.title}"]
    for child in op.ops:
        rendered = render_op(context, child)
        guard = _guard(child)
        if guard:
            context.imports.add(_MISSING)
            rendered = [guard, *rendered, ""]
        lines.extend(rendered)
    return lines


def _guard(op: ops.MigrateOperation) -> str | None:
    if isinstance(op, ops.CreateTableOp):
        return f"if missing(op, {op.table_name!r}):"
    if isinstance(op, ops.AddColumnOp):
        return f"if missing(op, {op.table_name!r}, column={str(op.column.name)!r}):"
    if isinstance(op, ops.CreateIndexOp):
        return f"if missing(op, {op.table_name!r}, index={op.index_name!r}):"
    if isinstance(op, ops.DropIndexOp):
        return f"if not missing(op, {op.table_name!r}, index={op.index_name!r}):"
    if isinstance(op, BatchOp) and isinstance(op.ops[0], ops.CreateForeignKeyOp):
        return f"if missing(op, {op.table_name!r}, foreign_key={op.ops[0].constraint_name!r}):"
    return None


@renderers.dispatch_for(RepairColumnOp)
def _repair(context: AutogenContext, op: RepairColumnOp) -> list[str]:
    assert op.modify_type is not None
    type_ = _type(op.modify_type, context)
    return [
        f"with op.batch_alter_table({op.table_name!r}) as batch_op:",
        f"batch_op.alter_column({op.column_name!r}, type_={type_}, nullable={op.modify_nullable!r},"
        f" comment={op.modify_comment!r})",
        "",
    ]


@renderers.dispatch_for(RenameOp)
def _rename(context: AutogenContext, op: RenameOp) -> str:
    return f"op.rename_table({op.table_name!r}, {str(op.new_table_name)!r})"


@renderers.dispatch_for(ConvertColumnOp)
def _convert(context: AutogenContext, op: ConvertColumnOp) -> str:
    return _conversion("convert_column", context, op)


@renderers.dispatch_for(RestoreColumnOp)
def _restore(context: AutogenContext, op: RestoreColumnOp) -> str:
    return _conversion("restore_column", context, op)


def _conversion(name: str, context: AutogenContext, op: ConvertColumnOp | RestoreColumnOp) -> str:
    def column(state: ColumnState) -> str:
        return _column(state.to_column(), context)

    return f"op.{name}({op.table_name!r},\n{column(op.old)},\n{column(op.new)},\nformer_name={op.former_name!r}\n)"


@renderers.dispatch_for(CarryLinksOp)
def _carry_links(context: AutogenContext, op: CarryLinksOp) -> str:
    return _links("carry_links", op)


@renderers.dispatch_for(RestoreLinksOp)
def _restore_links(context: AutogenContext, op: RestoreLinksOp) -> str:
    return _links("restore_links", op)


def _links(name: str, op: CarryLinksOp | RestoreLinksOp) -> str:
    columns = f"id_column={op.id_column!r}, type_column={op.type_column!r}"
    places = f"{columns}, link_table={op.link_table!r}, to_table={op.to_table!r}"
    return f"op.{name}({op.table_name!r}, {str(op.mark)!r},\n{places}\n)"
