"""Reviewing what a person names, or what a database lacks: several revisions in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sg_migrate.review.run import Review, review
from sg_migrate.review.selection import applied, selected
from sg_migrate.revisions.project import Project
from sg_migrate.revisions.replay import DIALECTS


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of several revisions, each after those it stands on.

    Attributes:
        reviews: the reviews.
        unasked: why no database was asked; empty when one was.
        uncounted: whether the database has one of the revisions already, so that nothing was counted for it.
    """

    reviews: tuple[Review, ...]
    unasked: str
    uncounted: bool


def review_revisions(
    project: Project,
    names: Sequence[str] = (),
    *,
    url: str | None = None,
    dialect: str | None = None,
    sql: bool = False,
) -> Reviews:
    """Review revisions of a project. Executes nothing and writes nothing.

    Args:
        project: the project.
        names: as for `selected`; what the database does not have yet when left out.
        url: a database to count in; the project's own when left out, if it can be reached.
        dialect: whose rules count; those of the database when left out, and what other engines would run is judged too.
        sql: whether to add the statements for the dialect.

    Raises:
        LostRevisionError: the database is at a revision that the project does not have.
        RevisionError: there is no such revision.
        DatabaseUnavailableError: ``url`` was given and cannot be reached.
    """
    with project.database(url) as (database, reason):
        if database is not None:
            project.check_heads(database.heads)
        scripts = selected(project, names, database)
        name = dialect or (database.dialect if database else project.dialect)
        done = applied(project, database) if database else set()
        reviews = tuple(
            review(
                project,
                script,
                name,
                other_dialects=() if dialect else DIALECTS,
                database=None if script.revision in done else database,
                sql=sql,
            )
            for script in scripts
        )
    return Reviews(reviews, "" if database else reason, any(script.revision in done for script in scripts))
