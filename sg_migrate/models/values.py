"""Column types whose values are what Python wants, and the same on every engine.

This file needs SQLAlchemy alone: scripts that ``sg-migrate models`` writes contain it.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, DateTime, Float, Numeric, String, Text
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, LONGTEXT, VARCHAR
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

UTC = timezone(timedelta(0))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, whatever the engine keeps of it."""

    impl = DateTime
    cache_ok = True

    def __init__(self, timezone: bool = True) -> None:
        super().__init__(timezone=timezone)
        self.timezone = timezone

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """MySQL's DATETIME drops microseconds if it is not asked for them."""
        if dialect.name in ("mysql", "mariadb") and self.timezone:
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=self.timezone))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """What goes to the database. Raises ``ValueError`` for a moment without a time zone, ``TypeError`` for none."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"{value!r} is no moment")
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: which moment it is would be a guess")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" and self.timezone else moment.replace(tzinfo=None)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """What comes from the database: one function for each value, since reading is what a warehouse is for."""
        read = self.impl_instance.dialect_impl(dialect).result_processor(dialect, coltype)
        parse, utc = datetime.fromisoformat, UTC

        def in_utc(value: Any) -> datetime | None:
            if value is None:
                return None
            moment: Any = value if read is None else read(value)
            aware: datetime = moment.replace(tzinfo=utc) if moment.tzinfo is None else moment.astimezone(utc)
            return aware

        def from_text(value: Any) -> datetime | None:
            try:
                return None if value is None else parse(value + "+00:00")
            except ValueError:  # somebody wrote it in another form
                return in_utc(value)

        return from_text if dialect.name == "sqlite" else in_utc


class Money(Numeric[Decimal]):
    """An exact decimal number, on SQLite too, whose numbers are doubles: up to 15 digits they tell it exactly."""

    def bind_processor(self, dialect: Dialect) -> Any:
        """What goes to the database."""
        return None if dialect.supports_native_decimal else lambda value: None if value is None else float(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """What comes from the database."""
        if dialect.supports_native_decimal:
            return None
        form = f"%.{self.scale or 0}f"
        return lambda value: None if value is None else Decimal(form % value)


TEXT = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
STRING = String().with_variant(LONGTEXT(), "mysql", "mariadb")
STRING_IN_INDEX = String().with_variant(VARCHAR(64), "mysql", "mariadb")
FLOAT = Float(53).with_variant(DOUBLE(asdecimal=False), "mysql", "mariadb")
MOMENT = UtcDateTime()
JSON_VALUE = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TABLE_OPTIONS: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
