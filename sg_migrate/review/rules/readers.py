"""Who else reads what changes; only a database knows."""

from __future__ import annotations

from collections.abc import Iterator

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import Subject
from sg_migrate.warehouse.state import ColumnState, TableState

VIEW = Rule(
    "SGM701", Level.LOSSY, "A view reads what changes or retires",
    "Depending on the engine it would break, show the old values for ever, or keep the upgrade from running;"
    " of what retires it shows values that nobody enters any more.",
    "Tell whoever owns the view. Where it is in the way, drop it before the upgrade and create it anew.",
)  # fmt: skip

RULES = (VIEW,)


def check(subject: Subject) -> Iterator[Finding]:
    """A finding for each column or table that changes and that views read."""
    if subject.database is None:
        return
    for table, column, what in _changed(subject):
        views = subject.database.views_using(table.name, column.name if column else "")
        if views:
            yield VIEW.finding(
                f"{what}, and it is read by {', '.join(views)}",
                mark=(column or table).mark,
                table=table.name,
                column=column.name if column else "",
            )


def _changed(subject: Subject) -> Iterator[tuple[TableState, ColumnState | None, str]]:
    """Tables and columns that are renamed, retyped, dropped or retired, each with what happens to it."""
    after = {(table.mark, table.name if table.mark.was else ""): table for table in subject.after.values()}
    for table in subject.before.values():
        now = after.get((table.mark, table.name if table.mark.was else ""))
        if now is None:
            former = any(t.mark == table.mark.as_former() for t in subject.after.values())
            yield table, None, "it gets another type" if former else "it is dropped"
        elif now.name != table.name:
            yield table, None, f"it is renamed to {now.name}"
        elif now.retired and not table.retired:
            yield table, None, "it retires"
        else:
            yield from _changed_columns(table, now)


def _changed_columns(table: TableState, now: TableState) -> Iterator[tuple[TableState, ColumnState | None, str]]:
    new_former = {c.mark for c in now.columns.values() if c.mark.was and c.name not in table.columns}
    for column in table.columns.values():
        if not column.mark.was and column.mark.as_former() in new_former:
            yield table, column, "it gets another type"
            continue
        found = next((c for c in now.columns.values() if _is_same(column, c)), None)
        if found is None:
            yield table, column, "it is dropped"
        elif found.name != column.name:
            yield table, column, f"it is renamed to {found.name}"
        elif found.type_text != column.type_text:
            yield table, column, "it gets another type"
        elif found.retired and not column.retired:
            yield table, column, "it retires"


def _is_same(before: ColumnState, now: ColumnState) -> bool:
    if before.mark.was:
        return now.name == before.name
    return now.mark.key == before.mark.key and not now.mark.was
