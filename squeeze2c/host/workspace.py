"""The memory of one inference: a context and an arena, both watched for overruns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from squeeze2c.errors import InternalError
from squeeze2c.host.bindings import GeneratedApi

_GUARD_BYTES = 64
_GUARD = 0xA5


class GuardedBuffer:
    """``size_bytes`` aligned to ``alignment``, with guard bytes on both sides."""

    def __init__(self, size_bytes: int, alignment: int) -> None:
        self._storage = np.full(size_bytes + 2 * _GUARD_BYTES + alignment, _GUARD, np.uint8)
        start = _GUARD_BYTES + -(self._storage.ctypes.data + _GUARD_BYTES) % alignment
        self.bytes = self._storage[start : start + size_bytes]
        self._before = self._storage[:start]
        self._after = self._storage[start + size_bytes :]

    @property
    def intact(self) -> bool:
        """Whether nobody wrote outside."""
        return bool((self._before == _GUARD).all() and (self._after == _GUARD).all())


class Workspace:
    """An initialised context with an arena of its own. One call at a time may use it."""

    def __init__(self, api: GeneratedApi, arena_bytes: int, alignment: int) -> None:
        self._context = GuardedBuffer(api.context_bytes, 16)
        self._arena = GuardedBuffer(arena_bytes, alignment)
        self.context: Any = api.pointer(self._context.bytes, "void *")
        arena = api.pointer(self._arena.bytes, "void *")
        api.call("init", self.context, arena, arena_bytes)

    def check(self) -> None:
        """Raises :class:`InternalError` where C wrote outside context or arena."""
        if not (self._context.intact and self._arena.intact):
            raise InternalError("generated code wrote outside its arena or its context")


class WorkspacePool:
    """Workspaces for any number of threads: as many as ever ran at the same time."""

    def __init__(self, api: GeneratedApi, arena_bytes: int, alignment: int) -> None:
        self._make = (api, arena_bytes, alignment)
        self._free: deque[Workspace] = deque()

    @contextmanager
    def borrow(self) -> Iterator[Workspace]:
        """A workspace for the caller alone; it goes back only after it was found intact."""
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace(*self._make)
        yield workspace
        workspace.check()
        self._free.append(workspace)
