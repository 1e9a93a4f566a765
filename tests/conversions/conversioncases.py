"""Every pair of kinds of columns with values and what must become of them, written by hand; ``None`` is NULL.

`storable` tells which values not every engine takes.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

Cases = list[tuple[Any, Any]]

NOT_A_NUMBER: Cases = [
    (text, None)
    for text in (
        "", " ", "12 frames", "frames 12", " 12 ", " 12", "12 ", "+12", "1e3", "1E3", "12\n", "\n12", "12\r\n", "12\t",
        "\u0663", "12\u0663", "\uff11\uff12", "0x1F", "1,5", "1.234,56", "1,234", "1_000", "--12", "-", "- 12", ".",
        "12.", ".5", "-.5", "1.2.3", "NaN", "nan", "inf", "Infinity", "-Infinity", "NULL", "null", "true", "\u00bd",
        "\u00b2", "12\u00a0", "12\u2028", "1/2", "12%", "12'; DROP TABLE t; --", "\\12", "\U0001f600", "9" * 70_000,
    )
]  # fmt: skip

TEXT_TO_INTEGER: Cases = [
    *NOT_A_NUMBER,
    (None, None), ("12", 12), ("0", 0), ("-0", 0), ("-3", -3), ("007", 7), ("-007", -7), ("000000000000000012", 12),
    ("0000000000000000012", None), ("2147483647", 2147483647), ("2147483648", None), ("-2147483648", -2147483648),
    ("-2147483649", None), ("99999999999", None), ("999999999999999999", None), ("9223372036854775808", None),
    ("18446744073709551617", None), ("431.25", None), ("12.0", None),
]  # fmt: skip

TEXT_TO_DOUBLE: Cases = [
    *NOT_A_NUMBER,
    (None, None), ("12", 12.0), ("0", 0.0), ("-0", 0.0), ("-0.0", 0.0), ("431.25", 431.25), ("-0.5", -0.5),
    ("0.1", 0.1), ("23.976", 23.976), ("007.50", 7.5), ("999999999.999999", 999999999.999999),
    ("0.00000000000001", 1e-14), ("123456789012345", 123456789012345.0), ("1234567890123456", None),
    ("0.30000000000000004", None), ("3.14159265358979", 3.14159265358979), ("2.67500000000001", 2.67500000000001),
    ("8.41470984807897", 8.41470984807897), ("0.958851077208406", 0.958851077208406),
    ("-137.0359990847", -137.0359990847),
]  # fmt: skip

TEXT_TO_MONEY: Cases = [
    *NOT_A_NUMBER,
    (None, None), ("12", Decimal("12.00")), ("1234.56", Decimal("1234.56")), ("-0.01", Decimal("-0.01")),
    ("431.5", Decimal("431.50")), ("0.07", Decimal("0.07")), ("1.005", None), ("1.000", None),
    ("9999999999999.99", Decimal("9999999999999.99")), ("-9999999999999.99", Decimal("-9999999999999.99")),
    ("10000000000000", None), ("10000000000000.00", None), ("$12", None), ("12 EUR", None),
    ("4503599627370.49", Decimal("4503599627370.49")),
]  # fmt: skip

TEXT_TO_BOOLEAN: Cases = [
    (None, None), ("true", True), ("True", True), ("TRUE", True), ("yes", True), ("Yes", True), ("YES", True),
    ("1", True), ("false", False), ("FALSE", False), ("no", False), ("No", False), ("0", False), ("", None),
    (" true", None), ("true ", None), ("true\n", None), ("x", None), ("y", None), ("n", None), ("t", None), ("f", None),
    ("on", None), ("off", None), ("2", None), ("01", None), ("-1", None), ("1.0", None), ("ye\u017f", None),
    ("tr\u00fae", None), ("\uff11", None), ("no idea", None), ("truefalse", None), ("yes" * 30_000, None),
]  # fmt: skip

NOT_A_DAY: Cases = [
    (text, None)
    for text in (
        "", "2023-02-29", "1900-02-29", "2100-02-29", "0000-00-00", "0000-01-01", "0000-02-29", "2024-00-10",
        "2024-01-00", "2024-13-01", "2024-01-32", "2024-04-31", "2024-06-31", "2024-09-31", "2024-11-31", "2024-02-30",
        "2024-1-5", "24-01-05", "20240105", "2024/01/05", "05.01.2024", "31/05/2024", "2024-01", "2024", "now", "today",
        "tomorrow", "infinity", "-infinity", "epoch", "end of May", "ASAP", " 2024-01-05", "2024-01-05 ",
        "2024-01-05\n", "+2024-01-05", "-2024-01-05", "12024-01-05", "2024-01-05 BC", "2024-W01-5", "2024-005",
        "\u0662\u0660\u0662\u0664-01-05", "2460315.5", "1704412800", "2024-01-05+02", "2024-01-05T", "2024-01-05Z",
        "2024-05-31" * 7_000,
    )
]  # fmt: skip

TEXT_TO_DATE: Cases = [
    *NOT_A_DAY,
    (None, None), ("2024-02-29", date(2024, 2, 29)), ("2000-02-29", date(2000, 2, 29)),
    ("2024-01-31", date(2024, 1, 31)), ("2024-04-30", date(2024, 4, 30)), ("2023-02-28", date(2023, 2, 28)),
    ("1969-12-31", date(1969, 12, 31)), ("1582-10-10", date(1582, 10, 10)), ("0001-01-01", date(1, 1, 1)),
    ("9999-12-31", date(9999, 12, 31)), ("2024-03-31", date(2024, 3, 31)), ("2024-12-31", date(2024, 12, 31)),
    ("2024-01-05T00:00:00", None), ("2024-01-05 10:00:00", None),
]  # fmt: skip

TEXT_TO_TIMESTAMP: Cases = [
    *NOT_A_DAY,
    (None, None), ("2024-02-29", datetime(2024, 2, 29)), ("2024-02-29T08:30:00Z", datetime(2024, 2, 29, 8, 30)),
    ("2024-02-29 08:30:00", datetime(2024, 2, 29, 8, 30)), ("2024-02-29T08:30:00", datetime(2024, 2, 29, 8, 30)),
    ("2024-02-29 08:30:00Z", datetime(2024, 2, 29, 8, 30)),
    ("2024-02-29T08:30:00.5Z", datetime(2024, 2, 29, 8, 30, 0, 500000)),
    ("2024-02-29T08:30:00.000001", datetime(2024, 2, 29, 8, 30, 0, 1)),
    ("2024-12-31T23:59:59.999999Z", datetime(2024, 12, 31, 23, 59, 59, 999999)),
    ("2024-03-31T02:30:00Z", datetime(2024, 3, 31, 2, 30)), ("2024-03-10 02:30:00", datetime(2024, 3, 10, 2, 30)),
    ("2024-11-03 01:30:00", datetime(2024, 11, 3, 1, 30)), ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59)),
    ("2038-01-19T03:14:08Z", datetime(2038, 1, 19, 3, 14, 8)), ("1000-01-01 00:00:00", datetime(1000, 1, 1)),
    ("2024-02-29t08:30:00z", None), ("2024-02-29T08:30:00+00:00", None), ("2024-02-29T08:30:00+02:00", None),
    ("2024-02-29T24:00:00Z", None), ("2024-02-29T08:60:00Z", None), ("2024-02-29T08:30:60Z", None),
    ("2024-02-29T08:30Z", None), ("2024-02-29 08:30", None), ("2024-02-29T08:30:00.Z", None),
    ("2024-02-29T08:30:00.1234567Z", None), ("2024-02-29T08:30:00ZZ", None), ("2024-02-29T08:30:00Z\n", None),
    ("2024-02-29  08:30:00", None), ("2023-02-29T08:30:00Z", None), ("2024-02-29T8:30:00Z", None),
    ("2024-02-29 08:30:00 PM", None), ("2024-02-29 08:30:00 UTC", None),
]  # fmt: skip

INTEGER_TO_TEXT: Cases = [
    (None, None), (0, "0"), (12, "12"), (-3, "-3"), (2147483647, "2147483647"), (-2147483648, "-2147483648"),
]  # fmt: skip
INTEGER_TO_DOUBLE: Cases = [
    (None, None), (0, 0.0), (12, 12.0), (-3, -3.0), (2147483647, 2147483647.0), (-2147483648, -2147483648.0),
]  # fmt: skip
INTEGER_TO_MONEY: Cases = [
    (None, None), (0, Decimal("0.00")), (12, Decimal("12.00")), (-2147483648, Decimal("-2147483648.00")),
]  # fmt: skip
INTEGER_TO_BOOLEAN: Cases = [(None, None), (0, False), (1, True), (2, None), (-1, None), (100, None)]

DOUBLE_TO_TEXT: Cases = [
    (None, None), (0.0, "0"), (-0.0, "0"), (24.0, "24"), (-24.0, "-24"), (0.5, "0.5"), (-0.5, "-0.5"),
    (431.25, "431.25"), (23.976, "23.976"), (0.1, "0.1"), (0.07, "0.07"), (1.005, "1.005"), (100.0, "100"),
    (120.05, "120.05"), (0.000001, "0.000001"), (-0.000001, "-0.000001"), (0.0000001, None), (1e-300, None),
    (999999999.999999, "999999999.999999"), (-999999999.999999, "-999999999.999999"), (123456789.000001,
    "123456789.000001"), (0.1 + 0.2, None), (1 / 3, None), (3.141592653589793, None), (3000000000.0, "3000000000"),
    (3000000000.5, None), (999999999999999.0, "999999999999999"), (1e15, None), (-1e15, None), (1e22, None),
    (1.7976931348623157e308, None), (5e-324, None),
    (float("inf"), None), (float("-inf"), None), (float("nan"), None),
]  # fmt: skip
DOUBLE_TO_INTEGER: Cases = [
    (None, None), (0.0, 0), (-0.0, 0), (120.0, 120), (-3.0, -3), (0.5, None), (1.5, None), (2.5, None), (-0.5, None),
    (2147483647.0, 2147483647), (2147483648.0, None), (-2147483648.0, -2147483648), (-2147483649.0, None),
    (2147483647.5, None), (3000000000.0, None), (0.9999999999999999, None), (1e300, None), (1e-300, None),
    (float("inf"), None), (float("-inf"), None), (float("nan"), None),
]  # fmt: skip
DOUBLE_TO_MONEY: Cases = [
    (None, None), (0.0, Decimal("0.00")), (0.5, Decimal("0.50")), (431.25, Decimal("431.25")),
    (0.07, Decimal("0.07")), (-0.01, Decimal("-0.01")), (1234.56, Decimal("1234.56")), (1.005, None), (0.125, None),
    (1 / 3, None), (0.1 + 0.2, None), (9999999999999.99, Decimal("9999999999999.99")), (1e13, None), (-1e13, None),
    (1e300, None), (4503599627370.49, Decimal("4503599627370.49")),
    (float("inf"), None), (float("-inf"), None), (float("nan"), None),
]  # fmt: skip
DOUBLE_TO_BOOLEAN: Cases = [
    (None, None), (0.0, False), (-0.0, False), (1.0, True), (0.5, None), (2.0, None), (-1.0, None),
    (0.9999999999999999, None), (float("inf"), None), (float("nan"), None),
]  # fmt: skip

MONEY_TO_TEXT: Cases = [
    (None, None), (Decimal("0.00"), "0.00"), (Decimal("12.00"), "12.00"), (Decimal("1234.56"), "1234.56"),
    (Decimal("-0.01"), "-0.01"), (Decimal("0.07"), "0.07"), (Decimal("-1234.50"), "-1234.50"),
    (Decimal("9999999999999.99"), "9999999999999.99"), (Decimal("-9999999999999.99"), "-9999999999999.99"),
    (Decimal("4503599627370.49"), "4503599627370.49"), (Decimal("NaN"), None),
]  # fmt: skip
MONEY_TO_INTEGER: Cases = [
    (None, None), (Decimal("0.00"), 0), (Decimal("12.00"), 12), (Decimal("-3.00"), -3), (Decimal("12.50"), None),
    (Decimal("0.01"), None), (Decimal("2147483647.00"), 2147483647), (Decimal("2147483648.00"), None),
    (Decimal("-2147483648.00"), -2147483648), (Decimal("9999999999999.99"), None), (Decimal("NaN"), None),
]  # fmt: skip
MONEY_TO_DOUBLE: Cases = [
    (None, None), (Decimal("0.00"), 0.0), (Decimal("1234.56"), 1234.56), (Decimal("-0.01"), -0.01),
    (Decimal("0.07"), 0.07), (Decimal("9999999999999.99"), 9999999999999.99), (Decimal("NaN"), None),
]  # fmt: skip
MONEY_TO_BOOLEAN: Cases = [
    (None, None), (Decimal("0.00"), False), (Decimal("1.00"), True), (Decimal("1.01"), None), (Decimal("2.00"), None),
    (Decimal("-1.00"), None), (Decimal("NaN"), None),
]  # fmt: skip

BOOLEAN_TO_TEXT: Cases = [(None, None), (True, "true"), (False, "false")]
BOOLEAN_TO_INTEGER: Cases = [(None, None), (True, 1), (False, 0)]
BOOLEAN_TO_DOUBLE: Cases = [(None, None), (True, 1.0), (False, 0.0)]
BOOLEAN_TO_MONEY: Cases = [(None, None), (True, Decimal("1.00")), (False, Decimal("0.00"))]

DATE_TO_TEXT: Cases = [
    (None, None), (date(2024, 2, 29), "2024-02-29"), (date(1969, 12, 31), "1969-12-31"), (date(1, 1, 1), "0001-01-01"),
    (date(999, 1, 5), "0999-01-05"), (date(9999, 12, 31), "9999-12-31"),
]  # fmt: skip
DATE_TO_TIMESTAMP: Cases = [
    (None, None), (date(2024, 2, 29), datetime(2024, 2, 29)), (date(1969, 12, 31), datetime(1969, 12, 31)),
    (date(2024, 3, 31), datetime(2024, 3, 31)), (date(1000, 1, 1), datetime(1000, 1, 1)),
    (date(9999, 1, 1), datetime(9999, 1, 1)),
]  # fmt: skip
TIMESTAMP_TO_TEXT: Cases = [
    (None, None), (datetime(2025, 10, 1, 23, 30), "2025-10-01T23:30:00Z"),
    (datetime(2024, 2, 29), "2024-02-29T00:00:00Z"),
    (datetime(2024, 2, 29, 8, 30, 0, 500000), "2024-02-29T08:30:00.500000Z"),
    (datetime(2024, 2, 29, 8, 30, 0, 1), "2024-02-29T08:30:00.000001Z"),
    (datetime(2024, 12, 31, 23, 59, 59, 999999), "2024-12-31T23:59:59.999999Z"),
    (datetime(2024, 3, 10, 2, 30), "2024-03-10T02:30:00Z"), (datetime(2024, 3, 31, 2, 30), "2024-03-31T02:30:00Z"),
    (datetime(1969, 12, 31, 23, 59, 59), "1969-12-31T23:59:59Z"),
    (datetime(1000, 1, 1, 12), "1000-01-01T12:00:00Z"),
]  # fmt: skip
TIMESTAMP_TO_DATE: Cases = [
    (None, None), (datetime(2025, 10, 1, 23, 30), date(2025, 10, 1)), (datetime(2025, 10, 1), date(2025, 10, 1)),
    (datetime(2025, 10, 1, 0, 0, 0, 1), date(2025, 10, 1)),
    (datetime(2025, 9, 30, 23, 59, 59, 500000), date(2025, 9, 30)),
    (datetime(2024, 12, 31, 23, 59, 59, 999999), date(2024, 12, 31)),
    (datetime(1969, 12, 31, 23, 59, 59), date(1969, 12, 31)), (datetime(1000, 1, 1, 12), date(1000, 1, 1)),
]  # fmt: skip

JSON_TO_TEXT: Cases = [
    (None, None),
    ({"link_type": "web", "name": "ref", "url": "https://example.com/a?b=1&c=%20"}, "https://example.com/a?b=1&c=%20"),
    ({"url": "https://example.com/\u00e9\U0001f600\"'\\", "link_type": "web"}, "https://example.com/\u00e9\U0001f600\"'\\"),
    ({"link_type": "web", "url": ""}, ""),
    ({"link_type": "upload", "url": "https://example.com/signed", "name": "plate.exr"}, None),
    ({"link_type": "local", "url": "file:///mnt/plate.exr", "local_path": "/mnt/plate.exr"}, None),
    ({"link_type": "Web", "url": "https://example.com"}, None), ({"url": "https://example.com"}, None),
    ({"link_type": "web"}, None), ({"link_type": "web", "url": None}, None), ({"link_type": "web", "url": 5}, None),
    ({"link_type": "web", "url": {"a": 1}}, None), ({}, None), ([], None), (["web", "url"], None), ("web", None),
    (5, None), (True, None), ([{"link_type": "web", "url": "https://example.com"}], None),
]  # fmt: skip

CASES: dict[tuple[str, str], Cases] = {
    ("text", "integer"): TEXT_TO_INTEGER,
    ("text", "double"): TEXT_TO_DOUBLE,
    ("text", "money"): TEXT_TO_MONEY,
    ("text", "boolean"): TEXT_TO_BOOLEAN,
    ("text", "date"): TEXT_TO_DATE,
    ("text", "timestamp"): TEXT_TO_TIMESTAMP,
    ("text", "json"): [(None, None), ("12", None), ("{}", None), ("https://example.com", None)],
    ("integer", "text"): INTEGER_TO_TEXT,
    ("integer", "double"): INTEGER_TO_DOUBLE,
    ("integer", "money"): INTEGER_TO_MONEY,
    ("integer", "boolean"): INTEGER_TO_BOOLEAN,
    ("integer", "date"): [(None, None), (20240229, None), (0, None)],
    ("integer", "timestamp"): [(None, None), (1709195400, None)],
    ("integer", "json"): [(None, None), (12, None)],
    ("double", "text"): DOUBLE_TO_TEXT,
    ("double", "integer"): DOUBLE_TO_INTEGER,
    ("double", "money"): DOUBLE_TO_MONEY,
    ("double", "boolean"): DOUBLE_TO_BOOLEAN,
    ("double", "date"): [(None, None), (2460315.5, None)],
    ("double", "timestamp"): [(None, None), (2460315.5, None)],
    ("double", "json"): [(None, None), (1.5, None)],
    ("money", "text"): MONEY_TO_TEXT,
    ("money", "integer"): MONEY_TO_INTEGER,
    ("money", "double"): MONEY_TO_DOUBLE,
    ("money", "boolean"): MONEY_TO_BOOLEAN,
    ("money", "date"): [(None, None), (Decimal("20240229.00"), None)],
    ("money", "timestamp"): [(None, None), (Decimal("1.00"), None)],
    ("money", "json"): [(None, None), (Decimal("1.00"), None)],
    ("boolean", "text"): BOOLEAN_TO_TEXT,
    ("boolean", "integer"): BOOLEAN_TO_INTEGER,
    ("boolean", "double"): BOOLEAN_TO_DOUBLE,
    ("boolean", "money"): BOOLEAN_TO_MONEY,
    ("boolean", "date"): [(None, None), (True, None)],
    ("boolean", "timestamp"): [(None, None), (True, None)],
    ("boolean", "json"): [(None, None), (True, None)],
    ("date", "text"): DATE_TO_TEXT,
    ("date", "timestamp"): DATE_TO_TIMESTAMP,
    ("date", "integer"): [(None, None), (date(2024, 2, 29), None)],
    ("date", "double"): [(None, None), (date(2024, 2, 29), None)],
    ("date", "money"): [(None, None), (date(2024, 2, 29), None)],
    ("date", "boolean"): [(None, None), (date(2024, 2, 29), None)],
    ("date", "json"): [(None, None), (date(2024, 2, 29), None)],
    ("timestamp", "text"): TIMESTAMP_TO_TEXT,
    ("timestamp", "date"): TIMESTAMP_TO_DATE,
    ("timestamp", "integer"): [(None, None), (datetime(2024, 2, 29), None)],
    ("timestamp", "double"): [(None, None), (datetime(2024, 2, 29), None)],
    ("timestamp", "money"): [(None, None), (datetime(2024, 2, 29), None)],
    ("timestamp", "boolean"): [(None, None), (datetime(2024, 2, 29), None)],
    ("timestamp", "json"): [(None, None), (datetime(2024, 2, 29), None)],
    ("json", "text"): JSON_TO_TEXT,
    ("json", "integer"): [(None, None), (12, None), ({"a": 1}, None)],
    ("json", "double"): [(None, None), (1.5, None)],
    ("json", "money"): [(None, None), (1.5, None)],
    ("json", "boolean"): [(None, None), (True, None)],
    ("json", "date"): [(None, None), ("2024-02-29", None)],
    ("json", "timestamp"): [(None, None), ("2024-02-29", None)],
}
"""Every pair of different kinds of scalar columns."""


def storable(engine: str, value: Any) -> bool:
    """Whether an engine stores the value at all."""
    if isinstance(value, float) and value != value:
        return engine.startswith("postgresql")
    if isinstance(value, float) and abs(value) == float("inf"):
        return engine.startswith("postgresql") or engine == "sqlite"
    if isinstance(value, Decimal) and value.is_nan():
        return engine.startswith("postgresql")
    return True
