"""A small site: shots with a link, links, a list, numbers and times."""

from __future__ import annotations

from sites import changed, field, site

from sg_migrate import Field, SiteSchema


def small_site(**more: str | Field) -> SiteSchema:
    """The site, with ``more`` fields of its shots."""
    shot: dict[str, str | Field] = {
        "code": field("Shot.code", "text Shot Code", description='The "name" of it'),
        "sg_cut_in": "number Cut In",
        "sg_ratio": "float Ratio",
        "sg_status_list": "status_list Status 🦋",
        "sg_shown_at": "date_time Shown at",
        "sg_sequence": "entity:Sequence Sequence",
        "assets": "multi_entity:Asset Assets",
    }
    return changed(site(Sequence={}, Shot=shot | more), "Sequence", name="Reel")
