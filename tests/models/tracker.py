"""A site with what a production tracker is about: the one of docs/models.md."""

from __future__ import annotations

from pathlib import Path

from sites import field, site

from sg_migrate import SiteSchema, Snapshot, write_snapshot


def tracker() -> SiteSchema:
    """The schema of the site."""
    statuses = field("Shot.sg_status_list", "status_list Status", valid_values=("fin", "ip", "wtg"))
    return site(
        Department={"name": "text", "users": "multi_entity:HumanUser People"},
        HumanUser={"name": "text Name", "department": "entity:Department", "projects": "multi_entity:Project"},
        Project={
            "name": "text",
            "sg_status": field("Project.sg_status", "list Status", valid_values=("Active", "Bidding", "Lost")),
            "users": "multi_entity:HumanUser",
        },
        Sequence={"code": "text", "project": "entity:Project", "shots": "multi_entity:Shot"},
        Shot={
            "code": "text Shot Code",
            "project": "entity:Project",
            "sg_sequence": "entity:Sequence",
            "sg_status_list": statuses,
            "assets": "multi_entity:Asset",
            "sg_cut_in": "number Cut In",
            "metadata": "serializable",
            "description": "text",
            "image_source_entity": "entity:Banner,Shot",
        },
        Asset={
            "code": "text",
            "project": "entity:Project",
            "shots": "multi_entity:Shot",
            "sg_status_list": field("Asset.sg_status_list", "status_list", valid_values=("fin", "wtg")),
        },
        Task={
            "content": "text",
            "project": "entity:Project",
            "entity": "entity:Asset,Sequence,Shot Link",
            "task_assignees": "multi_entity:Group,HumanUser",
            "upstream_tasks": "multi_entity:Task",
            "downstream_tasks": "multi_entity:Task",
        },
        TimeLog={"entity": "entity:Task", "user": "entity:HumanUser", "duration": "duration", "date": "date"},
        Version={
            "code": "text",
            "entity": "entity:Asset,Shot",
            "sg_task": "entity:Task",
            "created_at": "date_time",
            "sg_uploaded_movie": "url",
            "tag_list": "tag_list",
            "published_files": "multi_entity:PublishedFile",
            "sg_bid": "currency",
        },
        PublishedFile={"code": "text", "version": "entity:Version"},
        Banner={"code": "text"},
    )


def write_tracker(path: Path) -> Path:
    """The site as a snapshot file."""
    write_snapshot(path, Snapshot(tracker()))
    return path
