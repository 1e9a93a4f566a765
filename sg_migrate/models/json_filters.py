"""Filters on JSON columns that are spelled the same way on every engine.

Values behind keys need nothing of ours: ``Version.sg_uploaded_movie["name"].as_string() == "shot.mov"``.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Boolean, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import FunctionElement


class json_has(FunctionElement[bool]):
    """Whether a JSON list has a value among its items: ``select(Shot).where(json_has(Shot.tag_list, "night"))``."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any] | Any, value: str | int | bool) -> None:
        super().__init__(
            column, bindparam("item", value, unique=True), bindparam("json", json.dumps(value), unique=True)
        )
        self.name = "json_has"


@compiles(json_has, "sqlite")
def _sqlite(element: json_has, compiler: SQLCompiler, **options: Any) -> str:
    column, item = (compiler.process(clause, **options) for clause in list(element.clauses)[:2])
    return f"({item} IN (SELECT value FROM json_each({column})))"  # noqa: S608  (both are compiled: no text is in them)


@compiles(json_has, "postgresql")
def _postgresql(element: json_has, compiler: SQLCompiler, **options: Any) -> str:
    column, item = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"(CAST({column} AS JSONB) @> CAST({item} AS JSONB))"


@compiles(json_has, "mysql", "mariadb")
def _mysql(element: json_has, compiler: SQLCompiler, **options: Any) -> str:
    column, item = (compiler.process(clause, **options) for clause in list(element.clauses)[::2])
    return f"JSON_CONTAINS({column}, {item})"
