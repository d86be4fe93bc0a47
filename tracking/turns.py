"""A bound on what one process does at the same time, and on waiting for it. (pure)"""

import threading
import weakref
from collections.abc import Callable


class Turns:
    """At most so many at once; one more waits for its turn, but not for ever."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    def take(self, patience_s: float) -> bool:
        """Whether a turn came in time. Blocks the thread until then."""
        return self._free.acquire(timeout=patience_s)

    def until_gone(self, holder: object) -> Callable[[], object]:
        """Give a turn back at the latest when its holder is gone.

        Returns what gives it back before: once, however often it is called.
        """
        given_back = weakref.finalize(holder, self._free.release)
        given_back.atexit = False
        return given_back
