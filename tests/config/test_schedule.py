"""What runs by the clock is there to be run."""

import pytest

from config.celery import app
from config.schedule import JOBS, QUEUES, Job


@pytest.mark.parametrize("job", JOBS, ids=[job.task for job in JOBS])
def test_a_job_names_a_task_and_a_queue_that_a_worker_has(job: Job) -> None:
    app.loader.import_default_modules()
    assert job.task in app.tasks
    assert job.queue in QUEUES
    assert job.every.total_seconds() >= 10


def test_the_clock_knows_every_job() -> None:
    assert len(JOBS) > 0
    assert set(app.conf.beat_schedule) == {job.task for job in JOBS}
