"""The revisions: what a chain of Alembic revisions has built, and the next one to write."""
