"""What is built before each of many operations, kept as what each of them changed.

The first revision of a large site has ten thousand operations on thousands of tables: a state for each would take
gigabytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sg_migrate.warehouse.state import State, TableState


@dataclass
class States:
    """The states between operations.

    Attributes:
        first: what is built before the first operation.
    """

    first: State
    _count: int = 0
    _changed_at: dict[str, list[int]] = field(default_factory=dict)
    _changed_to: dict[str, list[TableState | None]] = field(default_factory=dict)

    def add(self, changed: Mapping[str, TableState | None]) -> None:
        """An operation, with the tables that are otherwise after it; ``None`` for one that is gone."""
        self._count += 1
        for name, table in changed.items():
            self._changed_at.setdefault(name, []).append(self._count)
            self._changed_to.setdefault(name, []).append(table)

    def __iter__(self) -> Iterator[State]:
        """What is built before each operation."""
        return (_StateAt(self, number) for number in range(self._count))

    def table(self, name: str, number: int) -> TableState | None:
        """A table after so many operations."""
        later = bisect_right(self._changed_at.get(name, ()), number)
        return self._changed_to[name][later - 1] if later else self.first.get(name)

    def names(self, number: int) -> Iterator[str]:
        """The tables that there are after so many operations."""
        every = (*self.first, *(name for name in self._changed_at if name not in self.first))
        return (name for name in every if self.table(name, number) is not None)


@dataclass(frozen=True)
class _StateAt(Mapping[str, TableState]):
    """One of the states, looked up where it is asked for."""

    states: States
    number: int

    def __getitem__(self, name: str) -> TableState:
        found = self.states.table(name, self.number)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return self.states.names(self.number)

    def __len__(self) -> int:
        return sum(1 for _ in self)
