"""A PostgreSQL and a Redis of the test session's own, unless DATABASE_URL and REDIS_URL are set.

Started once by the main process of pytest, before the first test; the processes of pytest-xdist
inherit the two URLs and make a database each. PGVERSION=16 chooses the older server. The
servers keep their durable settings, as in the product, and end with this process.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.conf import settings

from config.embedded import (
    DATABASE,
    POSTGRES_USER,
    EmbeddedPostgres,
    EmbeddedRedis,
    socket_directory,
)
from config.processes import Child, stop_all

CHILDREN = pytest.StashKey[list[Child]]()
FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns without it
    settings.CELERY_TASK_ALWAYS_EAGER = True
    settings.CELERY_TASK_EAGER_PROPAGATES = True
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    config.stash[CHILDREN] = []
    # The folder of this system that is sure to be on a disk, as a database's is.
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    config.stash[FOLDER] = Path(tempfile.mkdtemp(prefix="tests-", dir=settings.VAR_DIR))
    if settings.EMBEDDED_POSTGRES:
        start_postgres(config)
    if settings.EMBEDDED_REDIS:
        start_redis(config)


def start_postgres(config: pytest.Config) -> None:
    server = EmbeddedPostgres(var=config.stash[FOLDER], version=settings.PGVERSION)
    child = server.child()
    config.stash[CHILDREN].append(child)
    child.start()
    server.wait_until_up(child)
    host = str(socket_directory(server.var))
    settings.DATABASES["default"]["HOST"] = host
    os.environ["DATABASE_URL"] = f"postgres://{POSTGRES_USER}@/{host}/{DATABASE}"


def start_redis(config: pytest.Config) -> None:
    server = EmbeddedRedis(var=config.stash[FOLDER])
    child = server.child()
    config.stash[CHILDREN].append(child)
    child.start()
    settings.REDIS_URL = os.environ["REDIS_URL"] = f"unix://{server.socket}"
    settings.CELERY_BROKER_URL = f"redis+socket://{server.socket}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if (folder := config.stash.get(FOLDER, None)) is None:
        return
    children = config.stash[CHILDREN]
    stop_all(children, within_s=10.0)
    shutil.rmtree(socket_directory(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
