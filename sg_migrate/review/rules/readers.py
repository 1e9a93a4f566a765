"""Who else reads what changes; only a database knows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from sg_migrate.review.findings import Finding, Level, Rule
from sg_migrate.review.revision import RevisionUnderReview
from sg_migrate.warehouse.transition import ChangeKind

VIEW = Rule(
    "SGM701", Level.UNSAFE, "A view reads what changes",
    "Depending on the engine and the change, the upgrade refuses while the view is there, or the view follows; where"
    " env.py is not ours it may break, or show the old values for ever.",
    "Tell whoever owns the view. Where it is in the way, drop it before the upgrade and create it anew.",
)  # fmt: skip
VIEW_OF_RETIRED = Rule(
    "SGM702", Level.VISIBLE, "A view reads what retires",
    "It goes on showing values that nobody enters any more.",
    "Tell whoever owns the view.",
)  # fmt: skip

RULES = (VIEW, VIEW_OF_RETIRED)


def check(revision: RevisionUnderReview) -> Iterator[Finding]:
    """A finding for each column or table that changes and that views read."""
    if revision.database is None:
        return
    for change in revision.transition.changes:
        what = _WORDS.get(change.kind)
        if what is None or (change.kind == "retyped" and not change.widened):
            continue
        for name, new_name in zip_longest(change.old_names, change.new_names):
            table, column = (name, "") if change.thing == "table" else (change.table, name)
            views = revision.database.views_using(table, column)
            if views:
                yield (VIEW_OF_RETIRED if change.kind == "retired" else VIEW).finding(
                    f"{what.format(new_name=new_name)}, and it is read by {', '.join(views)}",
                    mark=change.old,
                    table=table,
                    column=column,
                )


_WORDS: dict[ChangeKind, str] = {
    "converted": "it gets another type",
    "set_aside": "its values are set aside",
    "retyped": "it gets another type",
    "renamed": "it is renamed to {new_name}",
    "retired": "it retires",
    "dropped": "it is dropped",
    "pruned": "it is dropped",
}
"""What happens to what is read; the rest hurts no reader."""
