"""What runs by the clock: task, interval, queue, one line each.

Each job finds by itself the rows that wait, so a run that is missed or doubled does no harm.
"""

from datetime import timedelta
from typing import NamedTuple

QUEUES = ("default", "upkeep")  # a long job in one does not hold up the other


class Job(NamedTuple):
    task: str
    every: timedelta
    queue: str


JOBS: tuple[Job, ...] = ()
