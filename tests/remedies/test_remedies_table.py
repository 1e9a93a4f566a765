"""Every expected failure has a test that carries its remedy out, or a reason why it names none."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from sg_migrate.errors import SgMigrateError

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent

CARRIED_OUT: dict[str, tuple[str, ...] | str] = {
    "SgMigrateError": "the base of all others; nobody raises it",
    # --- the site and its snapshot
    "SourceError": ("test_a_key_twice", "test_entity_types_without_fields", "test_a_path_in_a_git_revision"),
    "CredentialsError": ("test_no_credentials", "test_credentials_of_two_kinds"),
    "UnreachableError": ("test_a_site_that_is_busy", "test_a_wrong_address", "test_a_certificate_that_nobody_trusts"),
    "RefusedError": "the site's own words, of a permission or a name: a load notes it and goes on with the rest",
    "LoginRefusedError": ("test_a_login_that_is_refused", "test_a_password_that_does_not_do"),
    "SnapshotError": ("test_no_snapshot_yet", "test_no_snapshot_at_all", "test_a_line_that_is_missing"),
    "SnapshotVersionError": "it says to update sg_migrate, and there is none yet that knows another format",
    "SnapshotConflictError": ("test_a_merge_conflict",),
    "EventsFileError": ("test_a_merge_conflict_in_the_events",),
    "ForeignHostError": ("test_a_foreign_host",),
    "FilesBusyError": ("test_another_command_at_the_same_time",),
    "SetAsideError": ("test_values_that_cannot_be_set_aside",),
    "MassRetirementError": ("test_a_mass_retirement",),
    "PruneError": ("test_what_is_still_on_the_site_cannot_be_pruned",),
    # --- settings
    "SettingsError": (
        "test_a_percent_sign_in_an_ini_file",
        "test_no_database_is_set",
        "test_a_repair_without_a_database",
        "test_a_schema_where_there_are_none",
        "test_an_application_with_a_table_of_the_same_name",
    ),
    "PatternError": ("test_a_pattern_that_means_nothing",),
    "UnknownNameError": ("test_a_name_that_the_site_does_not_have",),
    "UnknownSettingError": ("test_a_setting_that_there_is_not",),
    "ImpossibleSettingError": ("test_a_value_that_a_setting_cannot_have",),
    "SchemaChangedError": ("test_another_schema",),
    "BuiltOtherwiseError": ("test_links_that_are_built_otherwise",),
    "SameNameError": ("test_two_tables_of_one_name", "test_two_tables_of_one_name_on_a_warehouse_with_rows"),
    # --- the history
    "BrokenRevisionError": ("test_a_revision_that_python_cannot_read",),
    "EnvironmentFileError": ("test_an_env_py_that_fails",),
    "SquashError": "what it names is somebody's own work: a person decides what becomes of it (test_squash.py)",
    "SquashedRevisionError": "it takes the commit before: test_a_database_before_it_is_told_and_goes_on carries it out",
    "LostRevisionError": ("test_a_revision_that_a_database_has_and_the_project_has_not",),
    "RecordingError": ("test_a_revision_that_asks_for_a_database",),
    "MisplacedError": "it reaches nobody: FoldError carries its words and its remedy",
    "FoldError": (
        "test_the_same_change_twice",
        "test_what_another_branch_has_renamed",
        "test_a_revision_that_was_removed",
    ),
    "ContradictionError": ("test_branches_that_contradict_each_other",),
    "RevisionError": (
        "test_several_heads",
        "test_no_revision_yet",
        "test_an_applications_own_tables",
        "test_a_database_without_revisions",
    ),
    "OfflineRebuildError": ("test_a_script_that_sqlite_has_no_statement_for",),
    # --- the database
    "DiscardError": ("test_step_by_step", "test_several_steps_at_once"),
    "ClashError": (
        "test_tables_of_the_same_name",
        "test_a_table_of_the_catalog",
        "test_a_column_of_the_same_name",
        "test_a_warehouse_that_shotgrid_orm_made",
    ),
    "DriftError": ("test_a_column_that_somebody_dropped", "test_sg_migrate_check_goes_on_without_too"),
    "CastError": ("test_values_of_a_column_whose_type_somebody_changed",),
    "NodeNotReadyError": "it takes a cluster: test_a_node_outside_of_the_primary_component_is_said",
    "ConnectionFailedError": ("test_no_connection_and_then_one",),
    "DatabaseError": ("test_a_name_that_is_taken",),
    "LockedError": ("test_a_lock", "test_a_lock_on_a_batch"),
    "BehindError": ("tests/load/test_faults.py::test_a_database_that_is_behind",),
    "LoadBusyError": ("tests/load/test_faults.py::test_two_loads_at_once",),
    "VanishedRecordsError": ("tests/load/test_load.py::test_records_that_vanish_are_no_deletion",),
    "BusyError": ("test_another_migration_was_first",),
    "ViewsError": ("test_views_in_the_way",),
    "ResumeError": ("test_a_name_that_is_taken",),
    "UnprovenError": ("test_a_statement_of_which_nobody_can_tell",),
    "ForeignKeyError": ("test_a_row_that_would_refer_to_nothing", "test_a_transaction_that_nobody_can_look_beside"),
    "RebuildError": ("test_a_column_that_is_not_in_the_statement",),
    "ForeignKeysOnError": ("tests/database/test_sqlite_copies.py::test_a_copy_is_refused_where_it_would_delete_rows",),
    # --- records as objects
    "RowError": "it names the row and the value; which row is handed in is the caller's affair",
    "RefusedValueError": ("tests/models/test_model_links.py::test_refused_values_name_what_is_allowed",),
    "PathError": ("tests/models/test_model_links.py::test_paths_that_lead_nowhere",),
    # --- projects
    "AdoptError": ("test_a_warehouse_that_cannot_be_taken_over", "test_adoption_is_for_two_engines"),
    "NoProjectError": ("test_no_project", "test_a_project_where_there_was_none"),
    "ProjectExistsError": ("test_a_project_that_is_there_already",),
    "DemoError": ("test_a_demo_that_stops",),
    "DatabaseUnavailableError": ("test_a_database_that_is_not_there",),
}
"""An error -> the tests that carry its remedy out, of this folder where no path is given; or why it names none."""


def errors(of: type[SgMigrateError] = SgMigrateError) -> set[str]:
    return {of.__name__} | {name for kind in of.__subclasses__() for name in errors(kind)}


@cache
def names_in(path: Path) -> set[str]:
    """The test functions of a module."""
    body = ast.parse(path.read_text("utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


MODULES = sorted(path for path in HERE.glob("test_*.py") if path != Path(__file__))


def test_every_error_is_in_the_table() -> None:
    assert errors() == set(CARRIED_OUT)


def test_every_test_of_the_table_is_there_and_knows_its_error() -> None:
    for error, carried in CARRIED_OUT.items():
        for test in carried if isinstance(carried, tuple) else ():
            place, _, name = test.rpartition("::")
            modules = [REPOSITORY / place] if place else [path for path in MODULES if name in names_in(path)]
            assert len(modules) == 1, test
            assert name in names_in(modules[0]), test
            assert place or error in modules[0].read_text("utf-8"), f"{test} is not about {error}"


def test_every_test_of_this_folder_is_in_the_table() -> None:
    named = {test for carried in CARRIED_OUT.values() if isinstance(carried, tuple) for test in carried}
    assert set().union(*map(names_in, MODULES)) - named == set()
