"""The Alembic plugin. It loads on every ``import alembic``, so it imports nothing heavy and cannot fail.

It does nothing unless env.py names it in ``autogenerate_plugins`` and passes ``sg_migrate``, its `Environment`, to
``context.configure``; ``Environment.options()`` gives both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.util import DispatchPriority, PriorityDispatchResult

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Register with Alembic; called by Alembic itself, once per process."""
    plugin.add_autogenerate_comparator(compare, "autogenerate", "sg_migrate", priority=DispatchPriority.LAST)


def compare(autogen_context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    """Add the operations of the site's tables, after Alembic's own and before they are reversed into the downgrade."""
    environment = autogen_context.opts.get("sg_migrate")
    if environment is not None:
        environment.autogenerate(autogen_context, upgrade_ops)
    return PriorityDispatchResult.CONTINUE
