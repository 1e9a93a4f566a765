"""Whether the names in the settings mean anything on this site: a typo must not be an empty warehouse."""

from __future__ import annotations

from collections.abc import Iterator

from sg_migrate.errors import UnknownNameError
from sg_migrate.settings import Settings, nearest
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.selection import Selection, expand


def check_names(site: SiteSchema, settings: Settings) -> None:
    """Refuse what is wanted and was never there: a name in ``include`` without a sign, a type in ``entity_names``.

    What the site had once is in the ledger, and is no typo.

    Raises:
        UnknownNameError: naming it, with the nearest name there is.
    """
    for name in _plain(settings.include):
        if not any(sign in name for sign in "*?[") and not _matches(name, site):
            raise UnknownNameError("include", name, "the site has nothing of that name", _nearest(name, site))
    for code in settings.entity_names:
        if code not in site.entity_types:
            problem = "the site has no such entity type"
            raise UnknownNameError("entity_names", code, problem, nearest(code, site.entity_types))
    if settings.include and not any(_matches(pattern, site) for pattern in _plain(settings.include)):
        raise UnknownNameError("include", " ".join(settings.include), "nothing on the site matches")


def meaningless(site: SiteSchema, settings: Settings) -> Iterator[str]:
    """The patterns that match nothing and may be right all the same, in words."""
    for setting, patterns in (("include", settings.include), ("exclude", settings.exclude)):
        for pattern in _plain(patterns):
            if not _matches(pattern, site):
                near = _nearest(pattern, site)
                meant = f"; was it {near}?" if near else ""
                yield f"The setting {setting} says {pattern}, and nothing on the site matches{meant}"


def _plain(patterns: tuple[str, ...]) -> list[str]:
    return [plain for pattern in patterns for plain in expand(pattern)]


def _matches(pattern: str, site: SiteSchema) -> bool:
    selection = Selection(include=(pattern,))
    chosen = (code for code in site.entity_types if selection.entity_type(code))
    if "." not in pattern:
        return any(chosen)
    return any(selection.field(field) for code in chosen for field in site.entity_types[code].fields.values())


def _nearest(name: str, site: SiteSchema) -> str | None:
    """The entity type or field that was meant, as the pattern for it."""
    code, dot, field = name.partition(".")
    if code not in site.entity_types:
        code = nearest(code, site.entity_types) or ""
        return code + dot + field if code else None
    found = nearest(field, site.entity_types[code].fields)
    return f"{code}.{found}" if found else None
