"""A database with every kind of structure, for the tests of the oracles."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from structure import raw_connection


def run(url: str, *statements: str, **values: object) -> None:
    with raw_connection(url) as connection:
        for statement in statements:
            connection.execute(sa.text(statement), values)


def build(url: str) -> None:
    """Every kind of column, a link table, references in a circle, a table of somebody else's."""
    long_text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    metadata = sa.MetaData()
    sa.Table(
        "thing",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("big", sa.BigInteger, comment="A large number"),
        sa.Column("small", sa.Integer),
        sa.Column("body", long_text),
        sa.Column("group", sa.String(255)),
        sa.Column("ratio %", sa.Double),
        sa.Column("price", sa.Numeric(15, 2)),
        sa.Column("flag", sa.Boolean),
        sa.Column("day", sa.Date),
        sa.Column("moment", moment),
        sa.Column("document", document),
        sa.Column("plain", sa.JSON),
        sa.Column("owner_id", sa.BigInteger, sa.ForeignKey("owner.id", name="fk_thing_owner")),
        comment="Things",
    )
    sa.Table(
        "owner",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20), nullable=False, unique=True),
        sa.Column("parent_id", sa.Integer, sa.ForeignKey("owner.id", name="fk_owner_parent")),
    )
    sa.Table(
        "thing__links",
        metadata,
        sa.Column("owner_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("linked_type", sa.String(64), primary_key=True),
        sa.Column("linked_id", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    sa.Table(
        "attachment",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("thing_id", sa.BigInteger, sa.ForeignKey("thing.id", name="fk_attachment"), nullable=False),
    )
    sa.Index("ix_thing_owner", metadata.tables["thing"].c.owner_id, metadata.tables["thing"].c.small)
    sa.Table("sg_catalog_field", metadata, sa.Column("name", sa.String(64)))
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":  # `owner.parent_id` refers to an INTEGER, `thing.owner_id` is BIGINT
        metadata.tables["thing"].c.owner_id.type = sa.Integer()
    elif engine.dialect.name != "postgresql":
        metadata.tables["owner"].c.id.type = sa.BigInteger()
        metadata.tables["owner"].c.parent_id.type = sa.BigInteger()
    metadata.create_all(engine)
    engine.dispose()
