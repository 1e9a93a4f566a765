"""Words that some engine, in some version, does not take as a name: quoted on every engine, online and in scripts.

From the engines' documentation: SQLite's keywords, what PostgreSQL reserves wholly or but for functions and types, what
MySQL 5.7 to 9 and MariaDB 10 to 12 reserve (Oracle mode included). A word too many costs a pair of quotes; SQLAlchemy
knows the words of one version, and of the one dialect.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine.interfaces import Dialect

from sg_migrate.alembic_private import forget_quoting

_WORDS = """
    abort accessible action add admin after all alter always analyse analyze and any array as asc asensitive
    asymmetric attach authorization autoincrement before begin between bigint binary blob body both by call cascade
    case cast change char character check collate collation column commit concurrently condition conflict constraint
    continue conversion convert create cross cube cume_dist current current_catalog current_date current_role
    current_schema current_time current_timestamp current_user cursor database databases day_hour day_microsecond
    day_minute day_second dec decimal declare default deferrable deferred delayed delete delete_domain_id dense_rank
    desc describe detach deterministic distinct distinctrow div do do_domain_ids double drop dual each else elseif
    elsif empty enclosed end escape escaped except exclude exclusive exists exit explain external fail false fetch
    filter first first_value float float4 float8 following for force foreign freeze from full fulltext function
    general generated get get_master_public_key glob goto grant group grouping groups having high_priority history
    hour_microsecond hour_minute hour_second if ignore ignore_domain_ids ignore_server_ids ilike immediate in index
    indexed infile initially inner inout insensitive insert instead int int1 int2 int3 int4 int8 integer intersect
    interval into io_after_gtids io_before_gtids is isnull iterate join json_table key keys kill lag last last_value
    lateral lead leading leave left library like limit linear lines load localtime localtimestamp lock long longblob
    longtext loop low_priority manual master_bind master_demote_to_replica master_demote_to_slave
    master_heartbeat_period master_ssl_verify_server_cert match materialized maxvalue mediumblob mediumint
    mediumtext member middleint minute_microsecond minute_second mod modifies natural new no no_write_to_binlog not
    nothing notnull nth_value ntile null nulls numeric of off offset old on only optimize optimizer_costs option
    optionally or order others out outer outfile over overlaps package page_checksum parallel parse_gcol_expr
    parse_vcol_expr partition percent_rank period persist persist_only placing plan portion position pragma
    preceding precision primary procedure purge qualify query raise range rank read read_write reads real recursive
    ref_system_id references regexp reindex release rename repeat replace require resignal restrict return returning
    revoke right rlike role rollback row row_number rows rowtype savepoint schema schemas second_microsecond select
    sensitive separator session_user set sets show signal similar slow smallint some spatial specific sql
    sql_after_gtids sql_before_gtids sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate
    sqlwarning ssl starting stats_auto_recalc stats_persistent stats_sample_pages stored straight_join symmetric
    system system_time system_user table tablesample temp temporary terminated then ties tinyblob tinyint tinytext
    to to_date trailing transaction trigger true unbounded undo union unique unlock unsigned update usage use user
    using utc_date utc_time utc_timestamp vacuum values varbinary varchar varcharacter variadic varying vector
    verbose versioning view virtual when where while window with within without write xor year_month zerofill
"""

RESERVED: Final = frozenset(_WORDS.split())


def quote_reserved(dialect: Dialect) -> None:
    """Have one dialect instance quote them all; other engines' instances keep their own words."""
    preparer = dialect.identifier_preparer
    if not preparer.reserved_words >= RESERVED:
        preparer.reserved_words = preparer.reserved_words | RESERVED
        forget_quoting(preparer)


@contextmanager
def quoting_reserved(dialect: Dialect) -> Iterator[None]:
    """The same for as long as the block lasts."""
    preparer = dialect.identifier_preparer
    own = preparer.reserved_words
    quote_reserved(dialect)
    try:
        yield
    finally:
        preparer.reserved_words = own
        forget_quoting(preparer)
