"""SQL that turns a column's values into another type: the same results on SQLite, PostgreSQL, MySQL and MariaDB.

Every function gives an expression that is NULL for whatever is not exactly a value of the wanted type, and that no
value can make fail: a cast stands behind a condition that admits only what the cast takes. No result depends on
the session's time zone, date style, collation or rounding.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import sqlalchemy as sa

from sg_migrate.warehouse.mapping import DATE, DOUBLE, INTEGER, JSON_VALUE, MONEY, TIMESTAMP

Expression: TypeAlias = sa.ColumnElement[Any]

# Patterns that mean the same to PostgreSQL, PCRE (MariaDB), ICU (MySQL 8) and Python (SQLite under SQLAlchemy).
_WHOLE = "-?[0-9]{1,18}"
_DECIMAL = "-?[0-9]+([.][0-9]+)?"
_MONEY = "-?[0-9]{1,13}([.][0-9]{1,2})?"
_TRUE = "[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|1"
_FALSE = "[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|0"
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DAY = (
    "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
_MOMENT = f"{_DAY}([T ]{_TIME}Z?)?"

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_DOUBLE_DIGITS = 15
"""A double keeps every decimal number of so many digits apart from all others."""
_DOUBLE_DECIMALS = 6
"""ShotGrid's floats go to 999999999.999999."""


# --- pieces


def _mysql(dialect: str) -> bool:
    return dialect in ("mysql", "mariadb")


def _when(condition: sa.ColumnElement[bool], value: Expression) -> Expression:
    return sa.case((condition, value))


def _matches(text: Expression, pattern: str, dialect: str) -> sa.ColumnElement[bool]:
    """Whether the whole text, a last line end included, matches; case matters."""
    if _mysql(dialect):  # $ would let a line end pass, and most collations ignore case
        return text.regexp_match(rf"(?-i)\A({pattern})\z")
    if dialect == "sqlite":
        return sa.and_(text.regexp_match(f"^({pattern})$"), sa.func.instr(text, "\n") == 0)
    return text.regexp_match(f"^({pattern})$")


def _text(value: Expression, dialect: str) -> Expression:
    return sa.cast(value, sa.CHAR() if _mysql(dialect) else sa.Text())


def _part(text: Expression, start: int, length: int | None = None) -> Expression:
    return sa.func.substr(text, start, *([] if length is None else [length]), type_=sa.Text())


def _without(text: Expression, character: str) -> Expression:
    return sa.func.replace(text, character, "", type_=sa.Text())


def _double(value: float) -> Expression:
    return sa.literal(value, DOUBLE)


def _power(exponent: Expression) -> Expression:
    """Ten to the power of 0 to 15 as an integer; SQLite may lack ``pow``."""
    return sa.cast(sa.func.substr("1" + "0" * _DOUBLE_DIGITS, 1, exponent + 1, type_=sa.Text()), sa.BigInteger())


def _quotient(text: Expression) -> Expression:
    """On SQLite, the double nearest to a decimal text of at most 15 digits.

    One division of two whole numbers that doubles hold exactly; SQLite's own reading of decimals is not always exact.
    """
    point = sa.func.instr(text, ".")
    decimals = sa.case((point == 0, 0), else_=sa.func.length(text) - point)
    digits = sa.type_coerce(sa.cast(_without(text, "."), sa.BigInteger()), DOUBLE)
    return digits * _double(1.0) / sa.type_coerce(_power(decimals), DOUBLE)


def _scaled(value: Expression, decimals: int) -> Expression:
    """``value`` times ten to the power of ``decimals``, rounded; whole if the value has no more decimals."""
    factor = 10**decimals
    product = value * _double(float(factor)) if isinstance(value.type, sa.Double) else value * factor
    return sa.func.round(product, type_=value.type)


def _has_decimals(value: Expression, decimals: int) -> sa.ColumnElement[bool]:
    """Whether a double is the nearest to a number with so many decimals; right below 10 to the power of 15 in all."""
    return _scaled(value, decimals) / _double(float(10**decimals)) == value


def _decimal_text(value: Expression, decimals: int, dialect: str) -> Expression:
    """``-12.50`` for a value that has so many decimals."""
    number = sa.cast(sa.func.abs(_scaled(value, decimals), type_=value.type), sa.BigInteger())
    if decimals == 0:
        digits = _text(number, dialect)
    else:
        factor = 10**decimals
        rest = number % factor
        whole = sa.cast((number - rest) / factor, sa.BigInteger())
        digits = _text(whole, dialect).concat(".").concat(_part(_text(rest + factor, dialect), 2))
    return sa.case((value < 0, sa.literal("-").concat(digits)), else_=digits)


def _boolean(column: Expression, true: Expression, false: Expression) -> Expression:
    return sa.case((column.is_(sa.true()), true), (column.is_(sa.false()), false))


def _one_or_zero(column: Expression, dialect: str) -> Expression:
    return sa.case((column == 1, sa.true()), (column == 0, sa.false()))


def _whole_in_range(column: Expression, dialect: str) -> Expression:
    """The value as an integer if it is a whole number of 32 bits; PostgreSQL's NaN is above every number."""
    whole = sa.func.round(column, type_=column.type) == column
    return sa.case(
        (sa.or_(column < _SMALLEST, column > _LARGEST), sa.null()), (whole, sa.cast(column, sa.Integer()))
    )  # fmt: skip


# --- from text


def text_to_integer(text: Expression, dialect: str) -> Expression:
    """Whole numbers of 32 bits."""
    number = sa.cast(text, sa.BigInteger())
    in_range = _when(number.between(_SMALLEST, _LARGEST), sa.cast(text, INTEGER))
    return _when(_matches(text, _WHOLE, dialect), in_range)


def text_to_double(text: Expression, dialect: str) -> Expression:
    """Decimal numbers of at most 15 digits, without exponent."""
    unsigned = _without(text, "-")
    digits = sa.case(
        (_part(unsigned, 1, 2) == "0.", sa.func.length(unsigned) - 2), else_=sa.func.length(_without(unsigned, "."))
    )
    if dialect == "sqlite":
        value = _quotient(text)
    elif _mysql(dialect):  # CAST AS DOUBLE is missing from older versions
        value = sa.type_coerce(text, DOUBLE) + sa.literal_column("0e0", DOUBLE)
    else:
        value = sa.cast(text, DOUBLE) + _double(0.0)  # minus zero becomes zero
    return _when(_matches(text, _DECIMAL, dialect), _when(digits <= _DOUBLE_DIGITS, value))


def text_to_money(text: Expression, dialect: str) -> Expression:
    """Decimal numbers of at most 13 digits and two decimals."""
    value = _quotient(text) if dialect == "sqlite" else sa.cast(text, MONEY)
    return _when(_matches(text, _MONEY, dialect), value)


def text_to_boolean(text: Expression, dialect: str) -> Expression:
    """true, yes, 1 and false, no, 0, in any case."""
    return sa.case(
        (_matches(text, _TRUE, dialect), sa.true()), (_matches(text, _FALSE, dialect), sa.false())
    )  # fmt: skip


def text_to_date(text: Expression, dialect: str) -> Expression:
    """Days of the calendar, ``YYYY-MM-DD``, from the year 1 on."""
    return _when(_is_day(text, _DAY, dialect), _as_date(_part(text, 1, 10), dialect))


def text_to_timestamp(text: Expression, dialect: str) -> Expression:
    """``YYYY-MM-DD``, then perhaps ``T`` or a space and ``HH:MM:SS``, a fraction, ``Z``; read as UTC."""
    return _when(_is_day(text, _MOMENT, dialect), _as_timestamp(_moment(text), dialect))


def _is_day(text: Expression, pattern: str, dialect: str) -> sa.ColumnElement[bool]:
    return sa.and_(_matches(text, pattern, dialect), _part(text, 1, 4) != "0000")


def _as_date(text: Expression, dialect: str) -> Expression:
    return text if dialect == "sqlite" else sa.cast(text, DATE)


def _moment(text: Expression) -> Expression:
    """``YYYY-MM-DD HH:MM:SS.ffffff`` from a text that matches: what SQLAlchemy stores on SQLite."""
    time = sa.case((sa.func.length(text) == 10, "00:00:00"), else_=_part(text, 12, 8))
    fraction = _part(_without(_part(text, 21), "Z").concat("000000"), 1, 6)
    return _part(text, 1, 10).concat(" ").concat(time).concat(".").concat(fraction)


def _as_timestamp(moment: Expression, dialect: str) -> Expression:
    if dialect == "sqlite":
        return moment
    return sa.cast(moment if _mysql(dialect) else moment.concat("+00"), TIMESTAMP)


# --- from numbers


def integer_to_text(column: Expression, dialect: str) -> Expression:
    """Its digits."""
    return _text(column, dialect)


def integer_to_double(column: Expression, dialect: str) -> Expression:
    """The same number."""
    return column + sa.literal_column("0e0", DOUBLE) if _mysql(dialect) else sa.cast(column, DOUBLE)


def integer_to_money(column: Expression, dialect: str) -> Expression:
    """The same number."""
    return column if dialect == "sqlite" else sa.cast(column, MONEY)


number_to_boolean = _one_or_zero
"""1 and 0."""

number_to_integer = _whole_in_range
"""Whole numbers of 32 bits."""


def double_to_text(column: Expression, dialect: str) -> Expression:
    """Numbers that at most 6 decimals and 15 digits write exactly, in the shortest way."""
    branches: list[tuple[Any, Any]] = [(sa.func.abs(column) >= _double(1e15), sa.null())]
    branches.append((_has_decimals(column, 0), _decimal_text(column, 0, dialect)))
    branches.append((sa.func.abs(column) >= _double(1e9), sa.null()))
    for decimals in range(1, _DOUBLE_DECIMALS + 1):
        branches.append((_has_decimals(column, decimals), _decimal_text(column, decimals, dialect)))
    return sa.case(*branches)


def double_to_money(column: Expression, dialect: str) -> Expression:
    """Numbers with at most two decimals."""
    value = column if dialect == "sqlite" else sa.cast(column, MONEY)
    return sa.case((sa.func.abs(column) >= _double(1e13), sa.null()), (_has_decimals(column, 2), value))


def money_to_text(column: Expression, dialect: str) -> Expression:
    """With two decimals, always."""
    if dialect == "sqlite":  # holds doubles
        column = sa.type_coerce(column, DOUBLE)
        exact: sa.ColumnElement[bool] = _has_decimals(column, 2)
    else:
        exact = sa.true()
    return sa.case(
        (sa.func.abs(column) >= 10**13, sa.null()), (exact, _decimal_text(column, 2, dialect))
    )  # fmt: skip


def money_to_double(column: Expression, dialect: str) -> Expression:
    """The nearest double."""
    if _mysql(dialect):
        return sa.type_coerce(column, DOUBLE) + sa.literal_column("0e0", DOUBLE)
    return _when(sa.func.abs(column) < 10**13, sa.cast(column, DOUBLE))


# --- from checkboxes


def boolean_to_text(column: Expression, dialect: str) -> Expression:
    """true and false."""
    return _boolean(column, sa.literal("true"), sa.literal("false"))


def boolean_to_number(column: Expression, dialect: str) -> Expression:
    """1 and 0."""
    return _boolean(column, sa.literal_column("1"), sa.literal_column("0"))


# --- from dates and times


def date_to_text(column: Expression, dialect: str) -> Expression:
    """``YYYY-MM-DD``."""
    text = _date_text(column, dialect)
    return _when(_is_day(text, _DAY, dialect), text)


def date_to_timestamp(column: Expression, dialect: str) -> Expression:
    """Its first moment in UTC."""
    text = _date_text(column, dialect)
    return _when(_is_day(text, _DAY, dialect), _as_timestamp(_moment(text), dialect))


def timestamp_to_text(column: Expression, dialect: str) -> Expression:
    """``YYYY-MM-DDTHH:MM:SSZ`` in UTC, with six decimals where there is a fraction."""
    text = _timestamp_text(column, dialect)
    moment = _moment(text)
    fraction = sa.case((_part(moment, 21) == "000000", ""), else_=_part(moment, 20))
    value = _part(moment, 1, 10).concat("T").concat(_part(moment, 12, 8)).concat(fraction).concat("Z")
    return _when(_is_day(text, _MOMENT, dialect), value)


def timestamp_to_date(column: Expression, dialect: str) -> Expression:
    """The day in UTC; taken from the text, because MySQL's cast rounds the last half second up."""
    text = _timestamp_text(column, dialect)
    return _when(_is_day(text, _MOMENT, dialect), _as_date(_part(text, 1, 10), dialect))


def _date_text(column: Expression, dialect: str) -> Expression:
    if dialect == "sqlite":
        return sa.type_coerce(column, sa.Text())
    if _mysql(dialect):
        return _text(column, dialect)
    first, last = (sa.cast(sa.literal(day), DATE) for day in ("0001-01-01", "9999-12-31"))
    return _when(column.between(first, last), sa.func.to_char(column, "YYYY-MM-DD", type_=sa.Text()))


def _timestamp_text(column: Expression, dialect: str) -> Expression:
    """A text that matches ``_MOMENT`` for every moment from the year 1 to 9999, in UTC."""
    if dialect == "sqlite":
        return sa.type_coerce(column, sa.Text())
    if _mysql(dialect):
        return _text(column, dialect)
    moments = ("0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00")
    first, last = (sa.cast(sa.literal(moment), column.type) for moment in moments)
    naive = isinstance(column.type, sa.DateTime) and not column.type.timezone  # in a warehouse that was taken over
    in_utc = column if naive else sa.func.timezone("UTC", column)
    return _when(column.between(first, last), sa.func.to_char(in_utc, "YYYY-MM-DD HH24:MI:SS.US", type_=sa.Text()))


# --- from structures


def json_to_text(column: Expression, dialect: str) -> Expression:
    """The address of a web link."""
    if dialect == "postgresql":  # a warehouse that was taken over may have the other JSON
        column = sa.cast(column, JSON_VALUE)
    url, link_type = column["url"].as_string(), column["link_type"].as_string()
    if dialect == "sqlite":
        is_text = sa.func.json_type(column, "$.url") == "text"
    elif _mysql(dialect):
        is_text = sa.func.json_type(sa.func.json_extract(column, "$.url")) == "STRING"
    else:
        is_text = sa.func.jsonb_typeof(column["url"]) == "string"
    value = _when(is_text, _when(_matches(link_type, "web", dialect), url))
    return _when(sa.func.json_valid(column) == 1, value) if dialect == "sqlite" else value
