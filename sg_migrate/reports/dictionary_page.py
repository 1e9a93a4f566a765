"""The dictionary as one HTML page that needs nothing else: no network, no server, no script of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sg_migrate.dictionary.entries import Dictionary, EntityEntry, FieldEntry
from sg_migrate.reports.usage_report import use_words
from sg_migrate.text import plural, shorten

PAGES = Path(__file__).parent / "pages"
HUBS = 12
NEIGHBOURS = 9
"""Entity types on either side of a drawing; the rest is a number."""
VALUES = 40
"""Values of a list that are shown at once; the rest is a number, but searched all the same."""


def render(dictionary: Dictionary) -> str:
    """The page. Every text of the site is escaped, in markup and in the drawing."""
    environment = Environment(loader=FileSystemLoader(PAGES), autoescape=True)
    entries = list(dictionary.entities.values())
    fields = sum(len(entry.fields) for entry in entries)
    return environment.get_template("dictionary.html").render(
        title=f"Dictionary of {dictionary.host}" if dictionary.host else "Dictionary",
        about=f"As of {date.today()}",
        counts=f"{plural(len(entries), 'entity type')}, {plural(fields, 'field')}",
        style=_file("style.css") + _file("dictionary.css"),
        script=_file("dictionary.js"),
        entries=sorted(entries, key=lambda e: (e.state != "active", e.is_connection, e.name.lower(), e.code)),
        hubs=[(entry, entry.others) for entry in dictionary.hubs[:HUBS]],
        timeline=dictionary.timeline,
        drawing=drawing,
        kind=kind,
        targets=_targets,
        values=_values,
        places=_places,
        kept=_kept,
        use=use_words,
    )  # fmt: skip


def _file(name: str) -> Markup:
    """A file of our own, as it is."""
    return Markup((PAGES / name).read_text(encoding="utf-8"))


def kind(field: FieldEntry) -> str:
    """A field's data type in words."""
    words = [field.data_type or "ours"]
    if not field.editable and field.data_type:
        words.append("read-only")
    if field.mandatory:
        words.append("mandatory")
    return ", ".join(words)


def _targets(field: FieldEntry) -> Markup:
    if not field.targets:
        return Markup()
    if field.leads_anywhere:
        return Markup("<p>any of {} entity types").format(len(field.targets))
    return Markup("<p>→ ") + Markup(", ").join(Markup('<a href="#{0}">{0}</a>').format(code) for code in field.targets)


def _values(field: FieldEntry) -> Markup:
    counts = dict(field.use.values) if field.use else {}
    if not field.values and not field.default and not counts:
        return Markup()
    shown = [_value(value, label, counts.get(value, 0) if counts else None) for value, label in field.values[:VALUES]]
    if len(field.values) > VALUES:
        shown.append(Markup("and {} more").format(len(field.values) - VALUES))
    others = counts.keys() - {value for value, _ in field.values}
    shown += [_value(value, "not offered any more", counts[value]) for value in counts if value in others][:VALUES]
    if field.default:
        shown.append(Markup("default <code>{}</code>").format(shorten(field.default, 200)))
    return Markup('<p class="values">') + Markup(" · ").join(shown)


def _value(value: str, label: str, number: int | None) -> Markup:
    said = Markup("<code>{}</code>").format(value)
    said += Markup(" {}").format(label) if label and label != value else Markup()
    return said if number is None else said + Markup(' <span class="dim">({:,})</span>').format(number)


def _places(field: FieldEntry) -> Markup:
    names = [*field.columns, *([field.link_table] if field.link_table else [])]
    return Markup(" ").join(Markup("<code>{}</code>").format(name) for name in names)


def _kept(field: FieldEntry) -> str:
    return f"values of an earlier type: {', '.join(field.kept)}" if field.kept else ""


# --- the drawing

_ROW, _LEFT, _MIDDLE, _RIGHT = 22, 210, 360, 510


def drawing(entry: EntityEntry) -> Markup:
    """Who links here, this, and where it links: a column each, a curve for each neighbour."""
    before, after = ([*side.items()] for side in entry.neighbours)
    rows = max(min(len(before), NEIGHBOURS + 1), min(len(after), NEIGHBOURS + 1), 1)
    if not before and not after:
        return Markup()
    height = rows * _ROW + 8
    parts = [
        Markup('<svg viewBox="0 0 720 {}" width="720" role="img" aria-label="{}">').format(height, _described(entry)),
        Markup('<text x="{}" y="{}" text-anchor="middle" font-weight="700">{}</text>').format(
            _MIDDLE, height // 2 + 4, shorten(entry.code, 22)
        ),
        *_side(before, height, _LEFT, "end", _MIDDLE - 85),
        *_side(after, height, _RIGHT, "start", _MIDDLE + 85),
        Markup("</svg>"),
    ]
    return Markup().join(parts)


def _side(
    neighbours: Sequence[tuple[str, tuple[str, ...]]], height: int, x: int, anchor: str, middle: int
) -> Iterator[Markup]:
    shown = neighbours[:NEIGHBOURS]
    rest = len(neighbours) - len(shown)
    count = len(shown) + (1 if rest else 0)
    top = (height - count * _ROW) // 2
    edge = x + (6 if anchor == "end" else -6)
    for number, (code, fields) in enumerate(shown):
        y = top + number * _ROW + _ROW // 2 + 4
        bend, centre = (edge + middle) // 2, height // 2
        path = f"M{edge} {y - 4}C{bend} {y - 4} {bend} {centre} {middle} {centre}"
        yield Markup(
            '<path d="{}"/><a href="#{}"><title>{}</title><text x="{}" y="{}" text-anchor="{}">{}</text></a>'
        ).format(path, code, shorten(", ".join(fields), 80), x, y, anchor, _label(code, fields))
    if rest:
        y = top + len(shown) * _ROW + _ROW // 2 + 4
        yield Markup('<text x="{}" y="{}" text-anchor="{}">and {} more</text>').format(x, y, anchor, rest)


def _label(code: str, fields: tuple[str, ...]) -> str:
    return shorten(code, 28) + (f" ({len(fields)})" if len(fields) > 1 else "")


def _described(entry: EntityEntry) -> str:
    before, after = entry.neighbours
    return f"{plural(len(before), 'entity type')} with links to {entry.code}, {len(after)} that it links to"
