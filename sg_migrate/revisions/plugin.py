"""The Alembic plugin. It loads on every ``import alembic``, so it imports nothing heavy and cannot fail.

It does nothing unless env.py names it in ``autogenerate_plugins`` and passes ``sg_migrate``, its `Environment`, to
``context.configure``; ``Environment.options()`` gives both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult


def setup(plugin: Plugin) -> None:
    """Register with Alembic; called by Alembic itself, once per process."""
    from alembic.util import DispatchPriority  # whoever imports this module first gets Alembic importing it again

    plugin.add_autogenerate_comparator(compare, "autogenerate", "sg_migrate", priority=DispatchPriority.LAST)


def compare(autogen_context: AutogenContext, upgrade_ops: UpgradeOps) -> PriorityDispatchResult:
    """Add the operations of the site's tables, after Alembic's own and before they are reversed into the downgrade."""
    from alembic.util import PriorityDispatchResult

    environment = autogen_context.opts.get("sg_migrate")
    if environment is not None:
        environment.autogenerate(autogen_context, upgrade_ops)
    return PriorityDispatchResult.CONTINUE
