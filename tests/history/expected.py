"""What the warehouse of the sample schemas is after each step, written by hand from the schemas and their README.

A column is a line: its name, its type as a word of `NATIVE`, its comment. `STOCK` and its like stand for the columns
that many tables have.
"""

from __future__ import annotations

NATIVE = {
    "text": ("TEXT", "text", "longtext"),
    "line": ("VARCHAR(255)", "character varying(255)", "varchar(255)"),
    "word": ("VARCHAR(64)", "character varying(64)", "varchar(64)"),
    "big": ("BIGINT", "bigint", "bigint(20)"),
    "int": ("INTEGER", "integer", "int(11)"),
    "double": ("DOUBLE", "double precision", "double"),
    "money": ("NUMERIC(15, 2)", "numeric(15,2)", "decimal(15,2)"),
    "bool": ("BOOLEAN", "boolean", "tinyint(1)"),
    "date": ("DATE", "date", "date"),
    "time": ("DATETIME", "timestamp with time zone", "datetime(6)"),
    "json": ("JSON", "jsonb", "longtext"),
}
"""The native types on SQLite, PostgreSQL and MariaDB."""

ENTITY = """
    id                      big     Id
    cached_display_name     text    Cached Display Name
    retired_at              time    When a load first found it in the site's trash or gone; null for active records
"""
WHEN = """
    created_at              time    Date Created
    created_by_id           big     Created by
    created_by_type         word    Created by
    updated_at              time    Date Updated
    updated_by_id           big     Updated by
    updated_by_type         word    Updated by
"""
IN_PROJECT = """
    project_id              big     Project
    project_type            word    Project
"""
STOCK = ENTITY + WHEN + IN_PROJECT
LINKS = """
    owner_id                big   The id of the record that has the link
    linked_type             word  The entity type of the record that it leads to
    linked_id               big   The id of the record that it leads to
"""

TABLES = [
    """
    asset asset__sg_assigned_artists asset__shots custom_entity07 custom_entity07__sg_operators department
    department__users event_log_entry group group__users human_user human_user__groups human_user__projects mocap_take
    mocap_take__assets note note__addressings_cc note__addressings_to note__note_links note__tasks playlist
    playlist__versions playlist_version_connection project project__users published_file
    published_file__upstream_published_files sequence sequence__assets sequence__shots sg_catalog_entity
    sg_catalog_field shot shot__assets shot__sg_plates shot__tasks status step task task__task_assignees
    task_dependency version version__playlists version__sg_linked_notes
    """,
    """
    +custom_entity07__sg_shots_photographed_with_this_kit_on_stage
    +custom_entity07_sg_shots_photographed_with_this_kit_on_971e6fdf +cut +cut__shots
    +shot__custom_entity07_sg_shots_photographed_with_this__491ad4ea +time_log
    """,
    "+asset__sg_supervisor +custom_non_project_entity03 +release +release__versions",
    """
    +custom_threaded_entity02 +custom_threaded_entity02__sg_link +version__sg_temp_links
    -version__sg_linked_notes +version__sg_linked_notes__was_multi_entity
    """,
    """
    +custom_entity07__sg_shots +shot__sg_camera_reports
    -custom_entity07__sg_operators +custom_entity07__sg_operators__was_multi_entity
    -shot__sg_plates +shot__sg_plates__was_multi_entity
    """,
    "",
]
"""The tables by step: those that come, and those that are called otherwise from then on. None goes."""

CASES: list[dict[str, tuple[str | None, str]]] = [
    {
        "task_dependency": (
            "Task Dependency",
            ENTITY
            + """
            dependency_type         text    Dependency Type
            dependent_task_id       int     Dependent Task Id
            dependent_task_link_id  big     Dependent Task
            dependent_task_type     word    Dependent Task
            offset_days             int     Offset Days
            shift_ratio             double  Shift Ratio
            task_id                 int     Task Id
            task_link_id            big     Task
            task_type               word    Task
            """,
        ),
        "playlist_version_connection": (
            "Playlist Version Connection",
            ENTITY
            + """
            cut                     bool    Cut: Left out in the room
            order                   int     Order (old): From before sg_sort_order
            playlist_id             big     Playlist
            playlist_type           word    Playlist
            sg_sort_order           int     Order
            version_id              big     Version
            version_type            word    Version
            version_review_message  text    Version Review Message
            """,
        ),
        "custom_entity07__sg_operators": ("Operators", LINKS),
    },
    {
        "sequence": (
            "Sequence",
            STOCK
            + """
            code                    text    Sequence Name
            description             text    Description
            sg_due                  date    Due: The date editorial agreed to
            sg_due__was_text        text    [retired] Due: Write what editorial said: 2024-05-31, end of May, ASAP
            sg_mood                 text    [retired] Mood
            sg_status_list          word    Status
            tag_list                json    Tags
            """,
        ),
        "custom_entity07_sg_shots_photographed_with_this_kit_on_971e6fdf": (
            "Lens Kit Shots photographed with this kit on stage Connection",
            ENTITY
            + """
            custom_entity07_id      big     Lens Kit
            custom_entity07_type    word    Lens Kit
            sg_filter               line    Filter
            sg_stop                 text    T-Stop: Data of the link itself: T2.8 and a half
            shot_id                 big     Shot
            shot_type               word    Shot
            """,
        ),
    },
    {
        "mocap_take": (
            "[retired] Mocap Take",
            STOCK
            + """
            code                    text    Mocap Take Name
            description             text    Description
            sg_performer            text    Performer
            sg_status_list          word    Status
            start_timecode_text     text    Start Timecode
            """,
        ),
        "asset__sg_supervisor": ("Supervisors", LINKS),
        "custom_entity07__sg_operators": ("[retired] Operators", LINKS),
        "sequence": (
            "Reel / Sequence",
            STOCK
            + """
            code                    text    Sequence Name
            description             text    Description
            sg_due                  date    Due: The date editorial agreed to
            sg_due__was_text        text    [retired] Due: Write what editorial said: 2024-05-31, end of May, ASAP
            sg_mood                 text    Mood
            sg_status_list          word    Status
            tag_list                json    Tags
            """,
        ),
    },
    {
        "shot": (
            "Shot",
            STOCK
            + """
            code                    text    Shot Code: REEL_SHOT, for example MTH_0140; see `naming` | wiki
            description             text    Description: What happens, in the director's words
            image                   text    Thumbnail
            open_notes_count        int     Open Notes Count
            sg_cut_in               int     Cut In (first frame): First frame of the cut, an integer
            sg_cut_in__was_text_2   text    [retired] Cut In: As the editor wrote it: 12, 12 frames, 431.25, or nothing
            sg_cut_in__was_text     text    Cut In:\u00a0was text: Copied by hand before the type of Cut In was changed; do not delete before wrap
            sg_cut_length           word    Cut Length: Feet and frames, 16-08
            sg_cut_out              int     Cut Out (last frame)
            sg_due_calc             date    Due (calculated)
            sg_handle_seconds       double  Handles (s): Seconds, 0.5 is fine
            sg_handle_seconds__was_number  int  [retired] Handles
            sg_hours_calc           int     Hours (calculated)
            sg_is_long              bool    Is Long
            sg_lead_id              big     Lead animator
            sg_lead_type            word    Lead animator
            sg_lead_id_7a9c8a1e     int     Lead Id: Personnel number of the lead, for payroll
            sg_length               int     Length
            sg_lens_kit_id          big     Lens Kit
            sg_lens_kit_type        word    Lens Kit
            sg_location_id          big     Location
            sg_location_type        word    Location
            sg_location__was_text   text    [retired] Location
            sg_old_status           text    [retired] Old Status: From the spreadsheet of the pilot
            sg_render_hours         double  Render Hours
            sg_sequence_id          big     Sequence
            sg_sequence_type        word    Sequence
            sg_shot_type            line    Type
            sg_sort_hack            int     [retired] Sort Hack: For one meeting
            sg_source_tc            int     Source Timecode
            sg_split_screen         bool    Split Screen
            sg_status_list          word    Status
            sg_turnover             date    Turnover
            sg_turnover__was_number int     [retired] Turnover: Week number
            sg_turnover__was_text   text    [retired] Turnover: wk 34, 34, 2024-08-19
            sg_vfx_turnover_2       text    Turnover 2: Second turnover; the editor's list says which reel
            sg_working_length       int     Working Length
            """,
        ),
        "version__sg_linked_notes__was_multi_entity": ("[retired] Linked Notes", LINKS),
    },
    {
        "custom_entity07": (
            "Camera Report",
            STOCK
            + """
            code                    text    Camera Report Name
            description             text    Description
            image                   text    Thumbnail
            sg_day_price            money   [retired] Price per Day
            sg_focal_lengths        text    Focal Lengths: 18, 25, 35, 50, 85
            sg_operators_id         big     Operator
            sg_operators_type       word    Operator
            sg_serial               int     Serial: Of the camera body
            sg_serial__was_text     text    [retired] Serial
            sg_shoot_day            date    Shoot Day
            sg_slate                text    Slate
            sg_status_list          word    Status
            sg_weight               double  [retired] Weight: kg, in its case
            """,
        ),
        "custom_entity07__sg_operators__was_multi_entity": ("[retired] Operators", LINKS),
        "custom_threaded_entity02__sg_link": ("[retired] Links", LINKS),
        "version__sg_temp_links": ("[retired] Temp Links: During the crunch only", LINKS),
    },
    {
        "project": (
            "Project",
            ENTITY
            + WHEN
            + """
            archived                bool    Archived
            code                    text    Pipeline Root: Folder of the show on the server, for example \\\\tern\\shows\\new_moths
            color                   word    Color
            image                   text    Thumbnail
            name                    text    Project Name
            sg_archive_options      json    Archive Options
            sg_archive_path         text    Archive Path: Tape and shelf
            sg_asset_total          int     Asset Total: Counted by hand on Fridays
            sg_budget               money   Budget: Whole show, in euro
            sg_currency_rate        double  [retired] Dollar Rate
            sg_dcp_checksum         word    DCP Id
            sg_delivery             date    Delivery: When the distributor's courier leaves
            sg_delivery__was_date_time  time  [retired] Delivery: When the distributor's courier leaves
            sg_frame_rate           double  Frame Rate
            sg_lut                  json    Show LUT
            sg_start                date    Start
            sg_status               line    Status
            """,
        ),
        "release": (
            "Delivery",
            STOCK
            + """
            code                    text    Delivery Name
            description             text    Description
            release                 text    Release: The distributor's own number, with its year: '24/118'
            sg_medium               line    Medium
            sg_sent                 time    Sent
            sg_status_list          word    Status
            """,
        ),
    },
]
"""By step: table -> its comment and its columns."""
