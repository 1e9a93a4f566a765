"""Taking a snapshot: what was read of a site, merged into the snapshot file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sg_migrate.site.attribution import Attribution, Attributions
from sg_migrate.site.changes import SiteChange, changes
from sg_migrate.site.events import SiteEvents, append_events, events_path, read_events
from sg_migrate.site.loaded import Loaded
from sg_migrate.site.lock import locked
from sg_migrate.site.merge import host_note
from sg_migrate.site.redaction import redacted
from sg_migrate.site.schema import Field
from sg_migrate.site.snapshot import Snapshot, merge, read_snapshot, write_snapshot


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a snapshot file.

    Attributes:
        path: the file.
        format: what was read, in words.
        stored: what it held before; ``None`` when there was none.
        snapshot: what it holds now, or would hold after a dry run.
        notes: what a person should know about the reading.
        changed: whether the two differ.
        written: whether the file was written.
        events: what is known of who changed the site.
        redact: whose texts are not told; the file has them.
    """

    path: Path
    format: str
    stored: Snapshot | None
    snapshot: Snapshot
    notes: tuple[str, ...]
    changed: bool
    written: bool
    events: SiteEvents
    redact: tuple[str, ...]

    @property
    def changes(self) -> list[SiteChange]:
        """What changed on the site since the stored snapshot; nothing for the first one."""
        if self.stored is None:
            return []
        return changes(redacted(self.stored.schema, self.redact), redacted(self.snapshot.schema, self.redact))

    def attributed(self) -> Iterator[tuple[SiteChange, Attribution | None]]:
        """What changed, with who did it as far as the site's log tells."""
        found = self.changes
        return zip(found, Attributions(self.events).of(found), strict=True)

    @property
    def new_fields(self) -> Iterator[Field]:
        """The active fields that are new, or have another data type."""
        known = {str(field): field.data_type for field in self.stored.schema.fields()} if self.stored else {}
        return (field for field in self.snapshot.active().fields() if known.get(str(field)) != field.data_type)


def take_snapshot(
    path: Path,
    loaded: Loaded,
    *,
    dry_run: bool = False,
    rebind: bool = False,
    accept_retirements: bool = False,
    redact: tuple[str, ...] = (),
) -> Taken:
    """Merge what was read of a site into the snapshot file, and its events into the file beside it.

    Args:
        path: the file; it need not be there yet.
        loaded: what was read.
        dry_run: write nothing.
        rebind: accept a schema from another host.
        accept_retirements: accept that more vanished than the guard allows.
        redact: entity types and fields whose texts are not told.

    Raises:
        SnapshotError, EventsFileError: a file cannot be read or written.
        ForeignHostError, MassRetirementError: what was read must not be merged.
    """
    with locked(path):
        stored = read_snapshot(path) if path.exists() else None
        merged = merge(stored, loaded.schema, today=date.today(), rebind=rebind, accept_retirements=accept_retirements)
        changed = stored is None or stored.text() != merged.text()
        written = False if dry_run else write_snapshot(path, merged)
        events = read_events(events_path(path)) | loaded.events
        if not dry_run:
            append_events(events_path(path), loaded.events, changed=changed)
    notes = (*host_note(stored.schema if stored else None, loaded.schema), *loaded.notes, *map(str, merged.warnings))
    return Taken(path, loaded.format, stored, merged, notes, changed, written, events, redact)
