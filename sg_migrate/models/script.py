"""The classes of a warehouse as a script: sqlacodegen-v2's generators, with what they do badly put right.

What is put right, each with a test: the import of inflect, which takes longer than all the rest; bare attributes
without types; the base of SQLAlchemy 1; ``autoincrement``, ``info`` and dialects' variants of types, which get lost;
dataclasses that SQLAlchemy does not map; the order of tables, which follows foreign keys; texts that end a string.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterable
from dataclasses import replace
from textwrap import indent
from types import ModuleType
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlacodegen_v2.models import ColumnAttribute, Model, ModelClass
from sqlalchemy.types import TypeEngine

from sg_migrate.models.build import MODEL_TYPES, model_type, tables_of
from sg_migrate.models.embedded import EMBEDDED
from sg_migrate.models.plan import LinkPlan, Plan
from sg_migrate.warehouse.model import LINK_TABLE_COLUMNS, LINK_TABLE_COMMENTS
from sg_migrate.warehouse.state import State, TableState, type_text


def _generators() -> ModuleType:
    """sqlacodegen-v2's generators, without inflect: it takes longer than all the rest, and makes only plurals.

    In their eyes it is a module that imports the real one when something of it is looked up.
    """
    if "inflect" not in sys.modules:
        later = ModuleType("inflect")
        later.__dict__["__getattr__"] = lambda name: getattr(importlib.import_module("inflect"), name)
        sys.modules["inflect"] = later
        try:
            return importlib.import_module("sqlacodegen_v2.generators")
        finally:
            del sys.modules["inflect"]
    return importlib.import_module("sqlacodegen_v2.generators")


_generators()

from sqlacodegen_v2.generators import DeclarativeGenerator, TablesGenerator  # noqa: E402  (behind what it imports)

Style: TypeAlias = Literal["declarative", "dataclasses", "tables"]

INDENT = "    "
LINE_LENGTH = 88
TYPES_NAMED = 16
"""A link that may lead to more entity types than that is typed as one to any record."""


def render_models(plan: Plan, style: Style = "declarative") -> str:
    """A Python module with the planned classes, or in the style ``tables`` with the tables alone.

    It needs SQLAlchemy and nothing else; the same plan gives the same text. It is no way to create a warehouse: the
    revisions are.
    """
    generator: TablesGenerator = (
        _Tables(plan, plan.tables) if style == "tables" else _Classes(plan, dataclasses=style == "dataclasses")
    )
    return generator.generate()


def literal(text: str) -> str:
    """A text as a Python literal in double quotes; what is not printable is escaped."""
    escaped = repr("'\"" + text)[4:-1]  # with both kinds of quotes repr chooses single ones, always
    return '"' + escaped.replace("\\'", "'").replace('"', '\\"') + '"'


class _Tables(TablesGenerator):
    """Tables as they are built."""

    subject = "tables"
    metadata_name = "metadata"
    embedded: tuple[ModuleType, ...] = EMBEDDED[:1]

    def __init__(self, plan: Plan, tables: State) -> None:
        TablesGenerator.__init__(self, tables_of(plan, tables), sa.create_engine("sqlite://"), ())
        self.plan = plan
        self.types: dict[str, str] = {}

    def generate(self) -> str:
        header = (
            f"The {self.subject} of a warehouse.\n\nWritten by `sg-migrate models`: change nothing here, write it anew."
        )
        return f'"""{header}\n"""\n\n{super().generate()}\n\n{self.footer()}\n'

    def group_imports(self) -> list[list[str]]:
        """The imports as isort and ruff sort them."""
        groups: dict[bool, list[str]] = {}
        for package in sorted(self.imports):
            of_python = package.partition(".")[0] in sys.stdlib_module_names
            names = sorted(self.imports[package], key=lambda name: (not name.isupper(), not name[0].isupper(), name))
            plain = [name for name in names if " as " not in name]
            lines = {name: _import(package, [name]) for name in names if " as " in name}
            lines |= {plain[0]: _import(package, plain)} if plain else {}
            groups.setdefault(not of_python, []).extend(lines[name] for name in sorted(lines))
        return [groups[key] for key in sorted(groups)]

    def footer(self) -> str:
        return "TABLES = metadata.tables"

    def fix_column_types(self, table: sa.Table) -> None:
        """They are right: they are the model's own, not an engine's."""

    def should_ignore_table(self, table: sa.Table) -> bool:
        return False

    def generate_models(self) -> list[Model]:
        models = [Model(table) for table in self.metadata.tables.values()]
        self.collect_imports(models)
        self.name_tables(models)
        return models

    def name_tables(self, models: Iterable[Model], taken: Iterable[str] = ()) -> None:
        names = {*taken, *(name for names in self.imports.values() for name in names)}
        for model in models:
            self.generate_model_name(model, names)
            names.add(model.name)

    def collect_imports_for_column(self, column: sa.Column[Any]) -> None:
        """The import that a type needs, and what it is in the script, once for all columns that have it."""
        text = type_text(column.type)
        if text in self.types:
            return
        type_ = model_type(column.type)
        if type_ is column.type:
            self.add_import(type_)
        self.types[text] = MODEL_TYPES.get(text) or str(super().render_column_type(type_))

    def render_column_type(self, coltype: Any) -> str:
        return self.types[type_text(coltype)]

    def collect_imports_for_model(self, model: Model) -> None:
        super().collect_imports_for_model(model)
        if model.__class__ is Model:
            self.add_import(sa.Column)

    def collect_imports_for_constraint(self, constraint: sa.Constraint | sa.Index) -> None:
        """An index or a foreign key; a primary key is its columns' affair."""
        if not isinstance(constraint, sa.PrimaryKeyConstraint):
            self.add_import(constraint)

    def render_module_variables(self, models: list[Model]) -> str:
        return f"{self.embedded_source()}\n\nmetadata = MetaData()"

    def embedded_source(self) -> str:
        """The files that the script consists of beside what is generated; their imports join the others."""
        return "\n\n\n".join(self._embed(module) for module in self.embedded)

    def _embed(self, module: Any) -> str:
        source = inspect.getsource(module)
        tree = ast.parse(source)
        last = tree.body[0]
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                last = node
                if node.module and not node.module.startswith("sg_migrate"):
                    for alias in node.names:
                        self.add_literal_import(node.module, alias.name)
        return "\n".join(source.splitlines()[last.end_lineno :]).strip()

    def render_table(self, table: sa.Table) -> str:
        lines = [literal(table.name), self.metadata_name]
        lines += [_call("Column", self.column_arguments(column, literal(column.name))) for column in table.columns]
        lines += self.constraints(table)
        if table.comment:
            lines.append(f"comment={literal(table.comment)}")
        lines += [f'info={{"sg": {literal(table.info["sg"])}}}', "**TABLE_OPTIONS"]
        return f"Table(\n{indent(''.join(f'{line},{chr(10)}' for line in lines), INDENT)})"

    def constraints(self, table: sa.Table) -> list[str]:
        """Indexes and foreign keys; entity types refer to each other in circles."""
        found = [self.render_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
            found.append(f"{self.render_constraint(key)[:-1]}, use_alter=True)")
        return found

    def column_arguments(self, column: sa.Column[Any], *first: str, last: Iterable[str] = ()) -> list[str]:
        """What a column is made of, behind ``first``; ids are the site's and never made here."""
        words = [*first, self.render_column_type(column.type)]
        if column.primary_key:
            words += ["primary_key=True", "autoincrement=False"]
        elif not column.nullable:
            words.append("nullable=False")
        if column.comment:
            words.append(f"comment={literal(column.comment)}")
        return [*words, *last, f"info={self.info(column)}"]

    def info(self, column: sa.Column[Any]) -> str:
        values = column.info.get("valid_values", ())
        more = f', "valid_values": {_tuple(map(literal, values))}' if values else ""
        return f'{{"sg": {literal(column.info["sg"])}{more}}}'

    def render_index(self, index: sa.Index) -> str:
        return _call("Index", [literal(str(index.name)), *(literal(column.name) for column in index.columns)])


def _import(package: str, names: list[str]) -> str:
    line = f"from {package} import {', '.join(names)}"
    return (
        line if len(line) <= LINE_LENGTH else f"from {package} import (\n" + "".join(f"    {n},\n" for n in names) + ")"
    )


class _Classes(_Tables, DeclarativeGenerator):
    """Classes with links, in the style of SQLAlchemy 2."""

    subject = "records"
    metadata_name = "Base.metadata"
    embedded = EMBEDDED

    def __init__(self, plan: Plan, *, dataclasses: bool) -> None:
        self.link_tables = {name: table for name, table in plan.tables.items() if _is_link_table(table)}
        super().__init__(plan, {name: plan.tables[name] for name in plan.tables if name not in self.link_tables})
        self.base_class_name = "Base"
        self.dataclasses = dataclasses
        self.names = {planned.entity_type: planned.name for planned in plan.classes.values()}

    def footer(self) -> str:
        lines = [f"    {literal(code)}: {name},\n" for code, name in self.names.items()]
        tables = "".join(f"{_link_table(table)}\n" for table in self.link_tables.values())
        return (f"{tables}\n\n" if tables else "") + f"CLASSES: dict[str, type[Base]] = {{\n{''.join(lines)}}}"

    def generate_models(self) -> list[Model]:
        models: list[Model] = []
        for name, planned in self.plan.classes.items():
            model = ModelClass(self.metadata.tables[name])
            model.name = planned.name
            for column in planned.columns:
                attribute = ColumnAttribute(model, model.table.columns[column.column.name])
                attribute.name = column.attribute
                model.columns.append(attribute)
            models.append(model)
        tables = [Model(table) for name, table in self.metadata.tables.items() if name not in self.plan.classes]
        self.collect_imports(models + tables)
        self.name_tables(tables, taken=self.names.values())
        return models + tables

    def collect_imports(self, models: Iterable[Model]) -> None:
        for name in ("DeclarativeBase", "Mapped", "mapped_column"):
            self.add_literal_import("sqlalchemy.orm", name)
        if self.dataclasses:
            self.add_literal_import("sqlalchemy.orm", "MappedAsDataclass")
        for model in models:
            self.collect_imports_for_model(model)

    def collect_imports_for_column(self, column: sa.Column[Any]) -> None:
        super().collect_imports_for_column(column)
        python_type = self.python_type(column.type)
        if python_type in ("Day", "Moment"):
            self.add_literal_import("datetime", {"Day": "date as Day", "Moment": "datetime as Moment"}[python_type])

    def python_type(self, type_: TypeEngine[Any]) -> str:
        """What values are in Python, as an annotation; a field may be called ``date``, so that has another name."""
        if isinstance(type_, sa.JSON):
            return "Any"
        name = type_.python_type.__name__
        return {"date": "Day", "datetime": "Moment"}.get(name, name)

    def render_module_variables(self, models: list[Model]) -> str:
        bases = "Record, MappedAsDataclass, DeclarativeBase, kw_only=True, eq=False, repr=False"
        bases = bases if self.dataclasses else "Record, DeclarativeBase"
        return (
            f"{self.embedded_source()}\n\n\n"
            f'class Base({bases}):\n    """The base of the classes below."""\n\n\nkeep_links(Base)'
        )

    def render_class(self, model: ModelClass) -> str:
        planned = self.plan.classes[str(model.table.name)]
        links = "".join(f"    {line}\n" for link in planned.links for line in self.link_lines(link))
        return str(super().render_class(model)) + (f"\n\n{links}".rstrip() if links else "")

    def render_class_variables(self, model: ModelClass) -> str:
        table = model.table
        options = [f'"comment": {literal(table.comment)}'] if table.comment else []
        options += [f'"info": {{"sg": {literal(table.info["sg"])}}}', "**TABLE_OPTIONS"]
        arguments = [*self.constraints(table), f"{{{', '.join(options)}}}"]
        args = "".join(f"{argument},\n" for argument in arguments)
        lines = [f'""{literal(table.comment)}""', ""] if table.comment else []
        lines += [
            f"__tablename__ = {literal(table.name)}",
            f"__entity_type__ = {literal(self.plan.classes[str(table.name)].entity_type)}",
            f"__table_args__ = (\n{indent(args, INDENT)})",
        ]
        return "\n".join(lines)

    def render_column_attribute(self, column_attr: ColumnAttribute) -> str:
        column = column_attr.column
        python_type = self.python_type(column.type)
        optional = f"{python_type} | None" if column.nullable else python_type
        first = [] if column_attr.name == column.name else [literal(column.name)]
        last = ["default=None"] if self.dataclasses and column.nullable else []
        call = _call("mapped_column", self.column_arguments(column, *first, last=last))
        doc = _doc(None if column.info["sg"].endswith((" entity id", " entity type")) else column.comment)
        return f"{column_attr.name}: Mapped[{optional}] = {call}{doc}"

    def link_lines(self, link: LinkPlan) -> list[str]:
        """A link or a list of links, with what the site says of it."""
        kind = "Links" if link.table else "Link"
        known = [self.names[code] for code in link.types if code in self.names]
        to = " | ".join(known) if 0 < len(known) <= TYPES_NAMED else "Base"
        words = [link.table] if link.table else [link.id_attribute, link.type_attribute]
        words.append(" ".join(link.types))
        arguments = [literal(word) for word in words]
        if link.pairs:
            ends = ", ".join(f"{literal(code)}: {literal(name)}" for code, name in sorted(link.pairs.items()))
            arguments.append(f"{{{ends}}}")
        call = _call(f"{link.attribute} = {kind}[{literal(to)}]", arguments)
        return f"{call}{_doc(link.comment)}".split("\n")


def _is_link_table(table: TableState) -> bool:
    """Whether it is of the one form that such tables have; one that was taken over may be of another."""
    named = [
        (column.name, column.type_text, column.comment, str(column.mark), column.nullable)
        for column in table.columns.values()
    ]
    expected = [
        (name, type_text(type_), LINK_TABLE_COMMENTS[name], str(replace(table.mark, role=name)), False)
        for name, type_ in LINK_TABLE_COLUMNS.items()
    ]
    form = (*LINK_TABLE_COLUMNS,), [("linked_type", "linked_id")]
    return named == expected and (table.primary_key, [*table.indexes.values()]) == form and not table.foreign_keys


def _link_table(table: TableState) -> str:
    words = [literal(table.name), literal(str(table.mark)), literal(table.comment) if table.comment else "None"]
    return _call("link_table", ["Base.metadata", *words, literal(*table.indexes)])


def _call(function: str, arguments: Iterable[str]) -> str:
    """A call on one line, or where that is too long with a line for each argument."""
    words = list(arguments)
    line = f"{function}({', '.join(words)})"
    if len(line) <= LINE_LENGTH:
        return line
    return f"{function}(\n{indent(''.join(f'{word},{chr(10)}' for word in words), INDENT)})"


def _tuple(items: Iterable[str]) -> str:
    words = list(items)
    return f"({', '.join(words)},)" if len(words) == 1 else f"({', '.join(words)})"


def _doc(comment: str | None) -> str:
    return f'\n""{literal(comment)}""' if comment else ""
