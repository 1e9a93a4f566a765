"""Every expected failure of sg_migrate: small typed classes under one base.

A message says what happened, where, and what to do; the command line prints it without a traceback. The
errors are Alembic's ``CommandError`` too, so the ``alembic`` command prints them as one line as well.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from alembic.util.exc import CommandError

Undone: TypeAlias = Literal["all", "nothing", "batch"]
"""What a refusal of the database takes back of what ran before: everything, nothing, or the last batch."""


class SgMigrateError(CommandError):
    """Base of all expected failures."""


class SourceError(SgMigrateError):
    """A schema source (file, connection, text) could not be read as a ShotGrid schema."""

    def __init__(self, source: str, problem: str, remedy: str = "") -> None:
        self.source = source
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{source}: {problem}" + (f" {remedy}" if remedy else ""))


class CredentialsError(SourceError):
    """The credentials for a live site are missing, incomplete or ambiguous; nothing was sent."""


class UnreachableError(SourceError):
    """The site could not be reached, or what answered was not a ShotGrid site."""


class LoginRefusedError(SourceError):
    """The site answered and refused the credentials."""


class SnapshotError(SourceError):
    """The snapshot file could not be read or written."""


class SnapshotVersionError(SnapshotError):
    """The snapshot was written in a format that this version does not know."""


class SnapshotConflictError(SnapshotError):
    """Git left a merge conflict in the file; ``line`` is the number of the first marker."""

    def __init__(self, source: str, line: int) -> None:
        self.line = line
        super().__init__(
            source,
            f"line {line}: a merge conflict is left in the file.",
            "Take both sides (delete only the marker lines), then run `sg-migrate snapshot` again.",
        )


class ForeignHostError(SgMigrateError):
    """What was read belongs to another site than the snapshot does."""

    def __init__(self, snapshot_host: str, site_host: str) -> None:
        self.snapshot_host = snapshot_host
        self.site_host = site_host
        super().__init__(
            f"The snapshot belongs to {snapshot_host}, but this schema comes from {site_host}. "
            "Nothing was written. Check SG_URL; if the site has moved, run `sg-migrate snapshot --rebind`."
        )


class MassRetirementError(SgMigrateError):
    """So much would retire at once that the site, or the permissions of its key, must be wrong."""

    def __init__(self, entity_types: int, all_entity_types: int, fields: int, all_fields: int) -> None:
        self.entity_types = entity_types
        self.all_entity_types = all_entity_types
        self.fields = fields
        self.all_fields = all_fields
        super().__init__(
            f"{entity_types} of {all_entity_types} entity types and {fields} of {all_fields} fields are no longer "
            "on the site. That looks like another site, or like a script key that lost its permissions; nothing was "
            "written. If it is true, run again with --accept-retirements (the alembic command: "
            "-x sg_accept_retirements=true)."
        )


class SettingsError(SgMigrateError):
    """A setting is unknown or has an impossible value, or the file with the settings cannot be read."""


class UnknownSettingError(SettingsError):
    """There is no setting of that name."""

    def __init__(self, where: str, setting: str, known: list[str]) -> None:
        self.where = where
        self.setting = setting
        super().__init__(f"{where}: no setting is called {setting!r}. There are: {', '.join(known)}.")


class ImpossibleSettingError(SettingsError):
    """A setting has a value that it cannot have; ``allowed`` says in words what it can be."""

    def __init__(self, where: str, setting: str, value: object, allowed: str) -> None:
        self.where = where
        self.setting = setting
        self.value = value
        self.allowed = allowed
        shown = repr(value)
        shown = shown if len(shown) <= 100 else f"{shown[:100]} …"
        super().__init__(f"{where}: {setting} = {shown}: must be {allowed}.")


class PruneError(SgMigrateError):
    """What was to be pruned is not retired, or is not in the snapshot at all; nothing was marked."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem} Only what is retired can be pruned; nothing was changed.")


class SetAsideError(SgMigrateError):
    """There are no values of that name that could be set aside; nothing was marked."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(f"{name}: {problem} Nothing was changed.")


class SchemaChangedError(SettingsError):
    """The setting ``schema`` names another schema than the one the warehouse was built in."""

    def __init__(self, schema: str, built_in: str) -> None:
        self.schema = schema
        self.built_in = built_in
        super().__init__(
            f"schema = {schema!r}: this warehouse is in schema {built_in!r}; nothing was changed. Set schema back, or"
            f" move the warehouse first: CREATE SCHEMA {schema}, then ALTER TABLE ... SET SCHEMA {schema} for each of"
            " its tables, alembic_version among them. A second warehouse beside it begins with an empty alembic_version"
            f" in schema {schema!r}."
        )


class BuiltOtherwiseError(SettingsError):
    """A setting asks for another form of what is built; ``built`` names it."""

    def __init__(self, setting: str, built: str) -> None:
        self.setting = setting
        self.built = built
        super().__init__(
            f"{setting}: {built} of this warehouse are built otherwise, and their values cannot be carried over."
            " Nothing was changed. Set it back; or begin a new warehouse with this setting, in a folder and a database"
            " of its own (sg-migrate init), and load it from the site."
        )


class SameNameError(SettingsError):
    """The settings give two tables one name, compared without case."""

    def __init__(self, name: str, first: str, second: str) -> None:
        self.name = name
        super().__init__(
            f"Two tables would be called {name!r}: {first}, and {second}. Nothing was changed. Give one of them another"
            " name: catalog_entity, catalog_field, entity_names, table_prefix."
        )


class BrokenRevisionError(SgMigrateError):
    """The file of a revision cannot be imported, or the revisions do not fit each other."""

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        self.path = path
        self.line = line
        at = f"{path}, line {line}" if line else path
        super().__init__(f"{at}: {problem.rstrip('.')}. No command can read the revisions until that is mended.")


class RecordingError(SgMigrateError):
    """A revision of ours cannot be run without a database, so what it builds is unknown."""

    def __init__(self, revision: str, problem: str) -> None:
        self.revision = revision
        self.problem = problem
        super().__init__(
            f"Revision {revision} cannot be read without a database: {problem}. If it builds nothing of the site's"
            " tables, remove its line 'sg_digest = ...': sg_migrate then leaves it alone."
        )


class MisplacedError(SgMigrateError):
    """An operation does not fit the state that it meets; `FoldError` says of which revision it is."""

    REMEDY = (
        "Was it edited by hand, or one before it removed? If another branch changed the same thing, delete this"
        " revision and generate it anew."
    )

    def __init__(self, problem: str, remedy: str = REMEDY) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}. {remedy}")


class FoldError(SgMigrateError):
    """A revision changes a table or column of ours that is not there."""

    def __init__(self, revision: str, misplaced: MisplacedError) -> None:
        self.revision = revision
        super().__init__(f"Revision {revision}: {misplaced}")


class ContradictionError(SgMigrateError):
    """Two branches change the same thing, and what comes of it depends on which of them runs first."""

    def __init__(self, merge: str, branches: list[str], objects: list[str]) -> None:
        self.merge = merge
        self.branches = branches
        self.objects = objects
        shown = ", ".join(objects[:5]) + (f" and {len(objects) - 5} more" if len(objects) > 5 else "")
        super().__init__(
            f"Revision {merge} merges {' and '.join(branches)}, which both change {shown}: what is built depends on"
            " which of them ran first. Delete the revisions of one branch, and the merge, and generate them anew on"
            " top of the other: alembic revision --autogenerate."
        )


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


class ConnectionFailedError(SgMigrateError):
    """The database did not answer, or let nobody in."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"No connection to {url}: {problem}")


class DatabaseError(SgMigrateError):
    """The database refused a statement: a permission, a full disk, a name that is taken."""

    def __init__(self, statement: str, problem: str, undone: Undone = "all") -> None:
        self.statement = statement
        self.problem = problem
        remedy = {
            "all": "",
            "nothing": "This engine cannot take back what ran before it: mend the cause, then finish with"
            " `sg-migrate resume`.",
            "batch": "The batches before it are done: mend the cause, then go on with `sg-migrate carry`.",
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
            "batch": "The batches before it are done; run it again",
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
        super().__init__(f"{problem} Nothing was changed; see docs/adoption.md.")


class NoProjectError(SgMigrateError):
    """There is no Alembic project where one was expected."""

    def __init__(self, ini: str, problem: str = "there is no such file") -> None:
        self.ini = ini
        super().__init__(f"{ini}: {problem}. Name another with --config, or make a project with `sg-migrate init`.")


class ProjectExistsError(SgMigrateError):
    """A project would overwrite what is there."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is there already; nothing was changed. Name another folder, or see docs/adoption.md for adding"
            " the site's tables to an Alembic project that exists."
        )


class DemoError(SgMigrateError):
    """A step of the demo failed."""

    def __init__(self, step: str) -> None:
        super().__init__(f"The demo stopped at: {step}. What was printed above says why.")


class DatabaseUnavailableError(SgMigrateError):
    """A database that was asked for cannot be reached; nothing was created or changed."""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        self.problem = problem
        super().__init__(f"{url}: {problem}. Check --url, DATABASE_URL or sqlalchemy.url in alembic.ini.")


class RevisionError(SgMigrateError):
    """There is no such revision, or no revision at all."""
