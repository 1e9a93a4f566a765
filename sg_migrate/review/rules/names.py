"""What things are called, on the site and in SQL: the same name for another thing, another name for the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview
from sg_migrate.revisions.summary import display_names
from sg_migrate.warehouse.transition import Change

OTHER_MEANING = Rule(
    "SGM205", Level.VISIBLE, "A name came back with another meaning",
    "What returns on the site under an old code may be another thing, while the rows keep the old values.",
    "Ask who made it. If it is another thing, `sg-migrate set-aside NAME` keeps the old values apart.",
    needs="values",
    comes_first=True,
)  # fmt: skip
DISPLAY_NAME = Rule(
    "SGM209", Level.VISIBLE, "The site calls something by another name",
    "That is how a site repurposes an entity type or a field: the rows that are there may be of the old meaning.",
    "Ask who renamed it. If it is another thing now, `sg-migrate set-aside NAME` keeps the old values apart.",
    needs="values",
    comes_first=True,
)  # fmt: skip
RENAMED = Rule(
    "SGM210", Level.VISIBLE, "A table or column gets another name",
    "Every query, view and report that uses the old name fails from now on.",
    "Tell whoever queries it; or put the settings entity_names, naming and table_prefix back as they were.",
)  # fmt: skip

RULES = (OTHER_MEANING, DISPLAY_NAME, RENAMED)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """Every finding of these rules."""
    for change in revision.transition.changes:
        if change.kind in ("revived", "converted", "retyped") and change.was_retired:
            yield from _other_meaning(change)
        elif change.kind == "display_name" and not change.was_retired and not _is_cosmetic(change):
            yield DISPLAY_NAME.finding(display_names(change), **_before(change))
        elif change.kind == "renamed" and not (change.new and change.new.former):
            for old, new in zip_longest(change.old_names, change.new_names):
                if _is_one_name(revision.dialect, change, old, new):
                    continue
                table, column = (old, "") if change.thing == "table" else (change.table, old)
                what = f"{change.thing} {old} is {new} from now on"
                yield RENAMED.finding(what, mark=change.new, table=table, column=column, line=revision.line_of(change))


def _is_one_name(dialect: str, change: Change, old: str, new: str) -> bool:
    """Whether the engine takes the two for one name: SQLite ignores case, MySQL and MariaDB that of columns."""
    ignores_case = dialect == "sqlite" or (dialect in ("mysql", "mariadb") and change.thing == "column")
    return ignores_case and old.lower() == new.lower()


def _is_cosmetic(change: Change) -> bool:
    """Whether the two names differ in case, spaces, punctuation and a plural only."""
    names = (change.old_display_name, change.new_display_name)
    old, new = (re.sub(r"[\W_]", "", name).casefold().removesuffix("s") for name in names)
    return bool(old) and old == new


def _other_meaning(change: Change) -> Iterator[Finding]:
    """What was retired before and is in use again, under another type or another display name."""
    assert change.old is not None
    assert change.new is not None
    words = []
    if change.old.data_type != change.new.data_type:
        words.append(f"it was {change.old.data_type}, now it is {change.new.data_type}")
    old, new = change.old_display_name, change.new_display_name
    if old and new and old != new:
        words.append(f'it was called "{old}", now "{new}"')
    if words:
        thing = "field" if change.field else "entity type"
        yield OTHER_MEANING.finding(f"the {thing} came back: {' and '.join(words)}", **_before(change))


def _before(change: Change) -> dict[str, object]:
    """The mark, the table and the column before the upgrade."""
    of_table = change.thing == "table"
    return {
        "mark": change.old,
        "table": change.old_names[0] if of_table else change.table,
        "column": "" if of_table else change.old_names[0],
    }
