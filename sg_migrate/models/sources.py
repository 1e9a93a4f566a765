"""What models can be made from: every source of a schema, and what a project's revisions have built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sg_migrate.models.layouts import Layout, shotgrid_orm_state
from sg_migrate.models.plan import Plan, plan_models
from sg_migrate.revisions.project import Project
from sg_migrate.settings import Settings
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.redaction import redacted
from sg_migrate.site.schema import SiteSchema
from sg_migrate.site.snapshot import Snapshot
from sg_migrate.site.sources import load_schema, parse, read_site
from sg_migrate.warehouse.model import build_state


def plan_for(
    source: Any, settings: Settings | None = None, *, layout: Layout = "sg_migrate", retired: bool = False
) -> Plan:
    """What the classes of a source are to be. Arguments and errors as `build_models`."""
    if isinstance(source, Project) and layout == "sg_migrate":
        return plan_models(source.built, source.site(), retired=retired)
    site = redacted(site_of(source), settings.redact if settings else ())
    if layout != "sg_migrate":
        return plan_models(shotgrid_orm_state(site, layout), site)
    return plan_models(build_state(site, settings or Settings(), {}), site)


def site_of(source: Any) -> SiteSchema:
    """The schema of a source: what is active in it."""
    if isinstance(source, SiteSchema):
        return source
    if isinstance(source, Project):
        source = replace(source.required_snapshot(), schema=source.site())
    if isinstance(source, Snapshot):
        return source.active()
    if isinstance(source, str) and source.lstrip().startswith(("{", "[")):
        source = parse(source, "the text")
    elif isinstance(source, (str, Path)):
        source = load_schema(source)
    elif not isinstance(source, Loaded):
        source = read_site(source)
    schema: SiteSchema = source.schema
    return schema
