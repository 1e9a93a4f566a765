"""Alembic migrations for an SQL warehouse that follows a ShotGrid site's schema."""
