"""How a transition reads, in site terms: the docstring of a revision, its message, and the review's first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alembic.operations import MigrateOperation
from alembic.script import Script

from sg_migrate.revisions.operations import GroupOps
from sg_migrate.site.schema import SiteSchema
from sg_migrate.text import clean, plural, shorten
from sg_migrate.warehouse.mapping import columns_for
from sg_migrate.warehouse.mark import CATALOG
from sg_migrate.warehouse.transition import Change, ChangeKind, Transition

NAME_LENGTH: Final = 60
"""Display names are cut to this length; they are free text."""

SIGNS: Final[dict[ChangeKind, str]] = {"added": "+", "revived": "+", "retired": "-", "dropped": "-", "pruned": "-"}
"""What is none of these is ``~``."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change in words: ``~``, ``text -> number``, ``the old values stay in sg_cut_in__was_text``."""

    change: Change
    sign: str
    what: str
    note: str = ""


def lines_of(transition: Transition) -> list[ChangeLine]:
    """A line for each change, display names first; changes of descriptions are only counted (`comments_of`)."""
    lines = [_line(change) for change in transition.changes if change.kind != "comment"]
    return sorted(lines, key=lambda line: line.change.kind != "display_name")


def comments_of(transition: Transition) -> int:
    """How many fields and entity types get another description."""
    return len({change.place for change in transition.changes if change.kind == "comment"})


def _line(change: Change) -> ChangeLine:
    return ChangeLine(change, SIGNS.get(change.kind, "~"), _what(change), _note(change))


def _what(change: Change) -> str:
    old, new = change.old_names, change.new_names
    if change.kind == "added":
        if change.new and change.field and not change.new.field:
            return "a column of sg_migrate's own"
        return change.new.data_type if change.field and change.new else "entity type"
    if change.kind in ("converted", "retyped"):
        before, after = (mark.data_type if mark else "nothing that is kept" for mark in (change.old, change.new))
        wider = change.kind == "retyped" and before == after
        return f"{before}, in a wider column" if wider else f"{before} -> {after}"
    if change.kind == "display_name":
        return display_names(change)
    if change.kind == "set_aside":
        return "its values so far are set aside; it starts empty"
    if change.kind == "renamed":
        return f"{change.thing} {old[0]} is renamed to {new[0]}"
    if change.kind == "retired":
        return "retired on the site, " + ("kept in the warehouse" if change.field else "table kept")
    if change.kind == "revived":
        return f"back on the site; the {change.thing} and its values are still there"
    if change.kind == "pruned":
        return f"values of an earlier type dropped: {', '.join(old)}"
    if change.kind == "dropped":
        return f"{change.thing} dropped with its values"
    return "another description"


def _note(change: Change) -> str:
    if change.kind == "added" and not change.field:
        return f"{change.fields} fields"
    came_back = "; it came back with another type: its meaning may have changed" if change.was_retired else ""
    if change.kind in ("converted", "set_aside"):
        return f"the old values stay in {', '.join(change.new_names)}{came_back}"
    if change.kind == "retyped":
        return ("the column holds longer texts now" if change.widened else "the column stays as it is") + came_back
    return ""


def created(script: Script | None) -> str:
    """The day on which a revision was written, as its file says: ``2026-11-23``; empty where it does not."""
    found = re.search(r"^Create Date: (\d{4}-\d{2}-\d{2})", script.longdoc or "", re.MULTILINE) if script else None
    return found[1] if found else ""


def display_names(change: Change) -> str:
    """``"Vendor Delivery" -> "Camera Report"``, in characters that a reader can tell apart."""
    names = [change.old_display_name, change.new_display_name]
    shown = [shorten(clean(name), NAME_LENGTH) for name in names]
    if shown[0] == shown[1]:
        shown = [ascii(name)[1:-1] for name in names]
    return " -> ".join(f'"{name}"' for name in shown)


def render_summary(transition: Transition, site: SiteSchema) -> str:
    """The summary as lines of text for a revision's docstring: cleaned, and unable to end the docstring.

    Args:
        transition: what the revision does; the first of a site is summarised by counts.
        site: where display names are looked up.
    """
    lines = _lines(lines_of(transition), site) if transition.before else _counts(transition, site)
    comments = comments_of(transition)
    if comments:
        lines.append(f"Comments: {plural(comments, 'description')} changed")
    text = "\n".join(lines)
    return re.sub(r'"{2,}', lambda match: '\\"' * len(match.group()), text.replace("\\", "\\\\"))


def _counts(transition: Transition, site: SiteSchema) -> list[str]:
    created = [c for c in transition.changes if c.kind == "added" and not c.field and c.entity_type != CATALOG]
    left_out = Counter(f.data_type for f in site.fields() if f.state == "active" and columns_for(f) is None)
    fields = sum(1 for f in site.fields() if f.state == "active")
    lines = [f"The first revision: {len(created)} entity types, {fields} fields"]
    if left_out:
        kinds = ", ".join(f"{count} {data_type}" for data_type, count in sorted(left_out.items()))
        lines.append(f"Left out, because the API returns nothing of them: {kinds}")
    return lines


def _lines(found: Sequence[ChangeLine], site: SiteSchema) -> list[str]:
    lines: list[str] = []
    entity_type = ""
    width = min(max((len(line.change.field) for line in found), default=0), 30)
    for line in found:
        change = line.change
        if change.kind == "display_name":
            lines.append(f"{line.sign} {change.place}  {line.what}")
            continue
        if change.entity_type != entity_type:
            entity_type = change.entity_type
            lines.append("The catalog" if entity_type == CATALOG else with_display_name(entity_type, site))
        name = display_name(site, entity_type, change.field) if change.field else ""
        words = f"{change.field:<{width}}  {line.what}" if change.field else line.what
        notes = "; ".join(note for note in (f'"{name}"' if name else "", line.note) if note)
        lines.append(f"  {line.sign} {words}" + (f"  {notes}" if notes else ""))
    return lines


def display_name(site: SiteSchema, entity_type: str, field: str = "") -> str:
    """The display name of a field or an entity type, cleaned and cut; empty where the snapshot knows none."""
    known = site.entity_types.get(entity_type)
    entry = known.fields.get(field) if known and field else known
    return shorten(clean(entry.name), NAME_LENGTH) if entry else ""


def with_display_name(entity_type: str, site: SiteSchema) -> str:
    """An entity type's code, with its display name where that says more: ``CustomEntity07 "Lens Kit"``."""
    name = display_name(site, entity_type)
    plain = re.sub(r"[\W_]", "", name).lower()
    return f'{entity_type} "{name}"' if name and plain != entity_type.replace("_", "").lower() else entity_type


def add_display_names(groups: Sequence[MigrateOperation], site: SiteSchema) -> None:
    """Give every group of operations the display name of its entity type in its comment line."""
    for group in groups:
        if isinstance(group, GroupOps):
            group.heading = with_display_name(group.heading, site)


_VERBS: Final[dict[str, tuple[ChangeKind, ...]]] = {
    "added": ("added",),
    "retyped": ("converted", "retyped"),
    "retired": ("retired",),
    "dropped": ("dropped", "pruned"),
    "set aside": ("set_aside",),
    "changed": ("renamed", "revived"),
    "called otherwise": ("display_name",),
}
"""What a message says, by what happens."""


def message_for(transition: Transition) -> str:
    """A message made from the changes: ``Shot: 3 added, 1 retired``."""
    if not transition.before:
        return "first revision"
    found = lines_of(transition)
    if not found:
        return "descriptions"
    called = [line for line in found if line.change.kind == "display_name" and not line.change.field]
    if called:
        others = [line for line in found if line not in called]
        names = [f"{line.change.place} {_in_message(line.what)}" for line in called[:2]]
        more = [f"{len(called) - 2} more called otherwise"] if len(called) > 2 else []
        return "; ".join([*names, *more, *([_message(others)] if others else [])])
    return _message(found)


def _in_message(text: str) -> str:
    """A text of the site's in a message, which Alembic puts into a docstring as it is."""
    return re.sub(r'"{2,}', '"', text).replace("\\", "/")


def _message(found: Sequence[ChangeLine]) -> str:
    if len(found) == 1:
        change = found[0].change
        verb = _verb(change)
        return f"{change.place} {_in_message(found[0].what) if verb in ('retyped', 'called otherwise') else verb}"
    counts = Counter(_verb(line.change) for line in found)
    places = sorted({line.change.entity_type for line in found})
    where = ", ".join(places[:2]) + (f" and {len(places) - 2} more" if len(places) > 2 else "")
    return f"{where}: {', '.join(f'{counts[verb]} {verb}' for verb in _VERBS if counts[verb])}"


def _verb(change: Change) -> str:
    return next(verb for verb, kinds in _VERBS.items() if change.kind in kinds)
