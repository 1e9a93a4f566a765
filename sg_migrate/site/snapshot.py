"""The snapshot: what the site says and what it used to say, in one file in git."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from sg_migrate.errors import SnapshotError
from sg_migrate.site.atomic import replace_file
from sg_migrate.site.documents import decode, is_snapshot, parse_json
from sg_migrate.site.ledger import active, ledger_text, read_ledger
from sg_migrate.site.merge import RetirementWarning, check_guard, check_host, losses, merged, warnings
from sg_migrate.site.raw import canonical_text
from sg_migrate.site.schema import EntityType, Field, SiteSchema
from sg_migrate.site.validation import Unreadable

Track: TypeAlias = Literal["all", "structure"]
"""Whether display names and descriptions count (``all``) or stay as first built (``structure``)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger. Its ``schema`` holds active, retired and dropped entries.

    The fields of a retired or dropped entity type keep the state they had: the type's own state stands for them.
    ``warnings`` are about the merge that made it; they are not part of the content.
    """

    schema: SiteSchema
    warnings: tuple[RetirementWarning, ...] = field(default=(), compare=False)

    def active(self) -> SiteSchema:
        """What the site says: active entity types with their active fields only."""
        return active(self.schema)

    def digest(self, track: Track = "all", *, foreign_keys: bool = False) -> str:
        """A fingerprint of what shapes the model: codes, data types, states, renderers, and the tracked comments.

        Args:
            track: ``structure`` leaves display names and descriptions out.
            foreign_keys: valid types count too; they decide which fields get a foreign key, where those are on.

        Returns:
            32 hexadecimal digits. Dates and the host never count.
        """
        entity_types = self.schema.entity_types
        plain = [_shape(entity_types[code], track, foreign_keys) for code in sorted(entity_types)]
        return hashlib.sha256(canonical_text(plain).encode()).hexdigest()[:32]

    def text(self, source: str = "snapshot") -> str:
        """The content of the snapshot file; raises ``SnapshotError``, about ``source``, for what it cannot hold."""
        try:
            return ledger_text(self.schema)
        except Unreadable as error:
            raise SnapshotError(source, error.problem, error.remedy) from None


def _shape(entity_type: EntityType, track: Track, foreign_keys: bool) -> list[object]:
    fields = [_field_shape(entity_type.fields[code], track, foreign_keys) for code in sorted(entity_type.fields)]
    comments = [] if track == "structure" else [entity_type.name]
    return [entity_type.code, entity_type.state, comments, fields]


def _field_shape(field: Field, track: Track, foreign_keys: bool) -> list[object]:
    comments = [] if track == "structure" else [field.name, field.description]
    renderer = dict(field.properties).get("renderer")
    valid_types = field.valid_types if foreign_keys else ()
    return [field.code, field.data_type, field.state, renderer, comments, valid_types, field.pruned, field.set_aside]


def read_snapshot(path: str | Path) -> Snapshot:
    """Read a snapshot file.

    Raises:
        SnapshotVersionError: the file was written by a newer sg_migrate.
        SnapshotConflictError: a merge conflict is left in it.
        SnapshotError: missing, unreadable, or anything but what ``write_snapshot`` writes.
    """
    source = str(path)
    try:
        document = parse_json(decode(Path(path).read_bytes()), source)
        if not is_snapshot(document):
            raise Unreadable(
                "", "not a snapshot of sg_migrate.", "Move it away, and make one with `sg-migrate snapshot`."
            )
        return Snapshot(read_ledger(document, source))
    except Unreadable as error:
        raise SnapshotError(source, error.problem, error.remedy) from None
    except FileNotFoundError:
        raise SnapshotError(source, "there is no snapshot yet.", "Make one with `sg-migrate snapshot`.") from None
    except OSError as error:
        raise SnapshotError(source, f"cannot be read ({error.strerror}).") from None


def write_snapshot(path: str | Path, snapshot: Snapshot) -> bool:
    """Write the snapshot file, if its content changes; a crash at any moment leaves the old file whole.

    Args:
        path: the file; its permissions are kept. A symbolic link is followed, not replaced.
        snapshot: what to write.

    Returns:
        Whether anything was written.

    Raises:
        SnapshotError: the file cannot be written, or the schema holds what the file cannot.
    """
    data = snapshot.text(str(path)).encode()
    path = Path(path).resolve()
    try:
        if path.is_file() and path.read_bytes() == data:
            return False
        replace_file(path, data)
    except OSError as error:
        raise SnapshotError(str(path), f"cannot be written ({error.strerror}); it is as it was.") from None
    return True


def merge(
    snapshot: Snapshot | None,
    site: SiteSchema,
    *,
    today: date,
    rebind: bool = False,
    accept_retirements: bool = False,
) -> Snapshot:
    """The ledger after ``site`` was read.

    What the site has is active, and as the site says. What it no longer has is retired as of ``today``; what was
    retired or dropped before stays so, with its date, and returns when the site has it again. When an entity type
    retires, its fields keep their state: they are implied.

    Args:
        snapshot: the ledger so far; ``None`` for a first one.
        site: what was read. Entries in it that are not active count as absent.
        today: the date of new retirements.
        rebind: accept a schema from another host; the ledger belongs to that host from now on.
        accept_retirements: let everything retire that the site no longer has, however much.

    Returns:
        The new ledger, with a warning for each entity type that loses many of its fields.

    Raises:
        ForeignHostError: the schema comes from another host.
        MassRetirementError: more than a quarter of the entity types or of the fields (20 or more) would retire.
    """
    site = active(site)
    if snapshot is None:
        return Snapshot(merged(SiteSchema(), site, today))
    ledger = snapshot.schema
    check_host(ledger.host, site.host, rebind)
    known = active(ledger)
    lost = losses(known, site)
    if not accept_retirements:
        check_guard(known, lost)
    return Snapshot(merged(ledger, site, today), warnings(lost))
