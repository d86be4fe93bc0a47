"""The Celery application: its settings are the CELERY_ ones of settings.py."""

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]

from config.schedule import JOBS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# In a container root is often the only user, so this is no news at each start.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("milepost")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    job.task: {
        "task": job.task,
        "schedule": job.every,
        # A message that waited for longer is dropped: the next one finds the same rows.
        "options": {"queue": job.queue, "expires": job.every.total_seconds()},
    }
    for job in JOBS
}
