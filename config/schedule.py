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


JOBS: tuple[Job, ...] = (
    Job("tracking.tasks.make_partitions", timedelta(hours=1), "upkeep"),
    Job("tracking.tasks.end_silent_missions", timedelta(minutes=10), "upkeep"),
    Job("tracking.tasks.end_silent_duties", timedelta(minutes=10), "upkeep"),
    Job("tracking.tasks.issue_proofs", timedelta(minutes=1), "default"),
    Job("tracking.tasks.expire_quarantine", timedelta(hours=1), "upkeep"),
    Job("missions.tasks.make_thumbnails", timedelta(minutes=1), "default"),
    Job("missions.tasks.sweep_orphans", timedelta(hours=1), "upkeep"),
    Job("missions.tasks.forget_old_imports", timedelta(hours=1), "upkeep"),
    Job("missions.tasks.tell_of_changes", timedelta(seconds=10), "default"),
    Job("tracking.tasks.tell_of_delays", timedelta(minutes=5), "upkeep"),
    Job("missions.tasks.forget_old_changes", timedelta(hours=1), "upkeep"),
    Job("accounts.tasks.forget_spent_codes", timedelta(hours=1), "upkeep"),
    Job("accounts.tasks.forget_answers", timedelta(hours=1), "upkeep"),
)
