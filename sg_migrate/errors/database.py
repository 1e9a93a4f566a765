"""Errors of a database and of what a migration would do to it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sg_migrate.errors.base import SgMigrateError

Batches: TypeAlias = Literal["carry", "load"]
"""The commands that commit batch by batch."""
Undone: TypeAlias = Literal["all", "nothing"] | Batches
"""What a refusal of the database takes back of what ran before: everything, nothing, or a command's last batch."""


class DatabaseUnavailableError(SgMigrateError):
    """A database that was asked for cannot be reached; nothing was created or changed."""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        self.problem = problem
        super().__init__(f"{url}: {problem}. Check --url, DATABASE_URL or sqlalchemy.url in alembic.ini.")


class BehindError(SgMigrateError):
    """A load into a database that does not have every revision."""

    def __init__(self, present: tuple[str, ...], heads: tuple[str, ...]) -> None:
        at = ", ".join(present) or "no revision"
        super().__init__(
            f"The database is at {at}, the revisions end at {', '.join(heads) or 'none'}: what is loaded must have its"
            " columns. Run `alembic upgrade head` first."
        )


class LoadBusyError(SgMigrateError):
    """Another load is at work on the same database."""

    def __init__(self) -> None:
        super().__init__("Another load is at work on this database. Wait until it is done, and run this again.")


class VanishedRecordsError(SgMigrateError):
    """More records of an entity type cannot be seen any more than vanish by themselves."""

    def __init__(self, entity_type: str, gone: int, rows: int) -> None:
        self.entity_type = entity_type
        super().__init__(
            f"{entity_type}: {gone:,} of {rows:,} records are neither active nor in the site's trash. Either the key"
            " may not see them any more, or they were deleted; nothing was marked. Check the key's permissions; if they"
            " are gone, run `sg-migrate load --sweep --accept-retirements`."
        )


class ConnectionFailedError(SgMigrateError):
    """The database did not answer, or let nobody in."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"No connection to {url}: {problem}")


class NodeNotReadyError(DatabaseUnavailableError):
    """A node of a Galera cluster takes no statements: it has lost the others, or is catching up with them."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            "this node of a Galera cluster takes no statements now: it is catching up, or has lost the others and is"
            " not in the primary component. Use another node's address, or wait until its wsrep_ready is ON",
        )


class DatabaseError(SgMigrateError):
    """The database refused a statement: a permission, a full disk, a name that is taken."""

    def __init__(self, statement: str, problem: str, undone: Undone = "all") -> None:
        self.statement = statement
        self.problem = problem
        remedy = {
            "all": "",
            "nothing": "This engine cannot take back what ran before it: mend the cause, then finish with"
            " `sg-migrate resume`.",
            "carry": "The batches before it are done: mend the cause, then go on with `sg-migrate carry`.",
            "load": "What came before it is loaded: mend the cause, then go on with `sg-migrate load`.",
        }
        super().__init__(f"The database refused: {problem}\n  in: {statement}\n{remedy[undone]}".rstrip())


class LockedError(SgMigrateError):
    """Somebody else held a lock for longer than ``lock_timeout``."""

    def __init__(self, statement: str, seconds: float, sessions: list[str], undone: Undone = "all") -> None:
        self.statement = statement
        self.sessions = sessions
        held = "".join(f"\n  held by {session}" for session in sessions[:10])
        remedies = {
            "all": "Nothing was changed; run it again",
            "nothing": "Run `sg-migrate resume` and then this again",
            "carry": "The batches before it are done; run it again",
            "load": "What came before it is loaded; run it again",
        }
        remedy = remedies[undone]
        super().__init__(
            f"Waited {seconds:g} s for a lock, and gave up so that nobody has to queue behind this migration:"
            f"\n  {statement}{held}\n{remedy} when the lock is free; the setting lock_timeout (-x sg_lock_timeout=60)"
            " waits longer."
        )


class BusyError(SgMigrateError):
    """Another migration ran between the question where the database is and the right to write."""

    def __init__(self) -> None:
        super().__init__("Another migration of this database has just run. Nothing was changed; run it again.")


class DiscardError(SgMigrateError):
    """A downgrade would lose values that were written after a conversion."""

    def __init__(self, table: str, column: str, values: int) -> None:
        self.table = table
        self.column = column
        self.values = values
        super().__init__(
            f"{table}.{column}: going back would lose {values} values that were written since its type changed."
            " Nothing was changed. To let them go: alembic -x sg_discard=true downgrade ..."
        )


class ClashError(SgMigrateError):
    """Something that is not ours stands in the database under a name that the site's tables want."""

    FOR_TABLES = (
        " Give the site's tables other names (table_prefix, entity_names, catalog_entity, catalog_field), or before the"
        " first revision a schema of their own on PostgreSQL (schema), or leave the entity type or field out (exclude)."
        " A warehouse that shotgrid_orm made is taken over by a project of its own:"
        " `sg-migrate init FOLDER --adopt --live --url URL`."
    )
    FOR_COLUMNS = " Leave the field out (exclude), or give the column that is there another name."

    def __init__(self, tables: list[str], columns: list[str]) -> None:
        self.tables = tables
        self.columns = columns
        found = [f"table {name}" for name in tables] + [f"column {name}" for name in columns]
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        super().__init__(
            f"The database already has {', '.join(found[:10])}{more}, and no revision of this history built"
            f" {'it' if len(found) == 1 else 'them'}. Nothing was changed."
            f"{self.FOR_TABLES if tables else ''}{self.FOR_COLUMNS if columns else ''}"
        )


class DriftError(SgMigrateError):
    """The database differs from what the revisions have built."""

    def __init__(self, differences: list[str]) -> None:
        self.differences = differences
        shown = "".join(f"\n  {difference}" for difference in differences[:20])
        more = f"\n  and {len(differences) - 20} more" if len(differences) > 20 else ""
        super().__init__(
            f"The database differs from what its revisions have built:{shown}{more}\n"
            "Somebody changed it by hand. Mend it there, or write the repair as a revision with"
            " `alembic -x sg_drift=repair revision --autogenerate -m repair`, or go on without with -x sg_drift=ignore."
        )


class CastError(SgMigrateError):
    """A repair would have the database cast values of a column that got another type by hand."""

    def __init__(self, table: str, column: str, values: int, types: str, aside: str) -> None:
        self.table = table
        self.column = column
        self.values = values
        self.aside = aside
        super().__init__(
            f"{table}.{column} {types}, and holds {values} values: a repair would cast them, each engine in its own"
            f" way. Nothing was changed. Set the column aside: {aside}; the repair then adds {column} anew, and what"
            " you set aside stays yours."
        )


class ViewsError(SgMigrateError):
    """Views use columns or tables that an upgrade or downgrade changes or drops; found before anything ran."""

    def __init__(self, uses: list[str]) -> None:
        self.uses = uses
        shown = "".join(f"\n  {use}" for use in uses[:20])
        more = f"\n  and {len(uses) - 20} more" if len(uses) > 20 else ""
        super().__init__(
            f"Views use what this would change; nothing was changed:{shown}{more}\n"
            "Drop them, run it again, and create them anew."
        )


class ResumeError(SgMigrateError):
    """The database is in no state that a revision leaves behind when it stops half way."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(
            f"Revision {revision} cannot be finished: the database is not as any number of its operations leaves it."
            " Nothing was changed. Was something changed by hand since? `alembic check` compares once it is put right."
        )


class UnprovenError(SgMigrateError):
    """Nobody can tell whether a statement of a revision that stopped half way has run."""

    def __init__(self, revision: str, statement: str) -> None:
        self.revision = revision
        self.statement = statement
        super().__init__(
            f"Revision {revision} may have run this already, or not: nothing in the tables tells.\n  {statement}\n"
            "Nothing was changed. Look at the data, then say which: sg-migrate resume --again runs such statements"
            " again, sg-migrate resume --skip leaves them out."
        )


class ForeignKeyError(SgMigrateError):
    """On SQLite, the migration would leave a row whose foreign key points nowhere."""

    def __init__(self, table: str, row: object, referred_table: str, *, unseen: bool = False) -> None:
        hint = (
            " It may have been so before: the transaction is too large for SQLite to let anybody look. Put the"
            " database into WAL mode (PRAGMA journal_mode=WAL) and try again."
        )
        super().__init__(
            f"Row {row} of {table} would refer to a row of {referred_table} that is not there. Nothing was changed."
            f"{hint if unseen else ''}"
        )


class RebuildError(SgMigrateError):
    """On SQLite, the statement that created a table does not have what a revision changes."""

    def __init__(self, what: str, sql: str) -> None:
        super().__init__(f"There is no {what} to change in: {sql}")


class ForeignKeysOnError(SgMigrateError):
    """On SQLite, a table must be copied, and foreign keys are enforced meanwhile."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"Table {table} has to be copied, because this SQLite refuses a simpler way. While foreign keys are"
            " enforced, that would delete rows of other tables. Connect with sg.connect() in env.py: it turns foreign"
            " keys off and checks them before the commit."
        )


class OfflineRebuildError(SgMigrateError):
    """A script for SQLite cannot change a table whose present form is unknown."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            f"SQLite has no statement for a change of table {table}: it takes the database itself, and --sql has none."
            " Run `alembic upgrade` on the database, or write the script for the revisions before and after this one."
        )


class AdoptError(SgMigrateError):
    """A database cannot be taken over as a warehouse that shotgrid_orm made; nothing was changed."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} Nothing was changed; the documentation says more under Adoption.")
