"""The files of which a script consists before its classes."""

from __future__ import annotations

from sg_migrate.models import fetching, flushing, link_tables, links, lists, records, values

EMBEDDED = (values, link_tables, fetching, records, links, lists, flushing)
"""In their order: each uses what stands before it."""
