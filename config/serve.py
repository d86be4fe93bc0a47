"""The web process: Granian in front of config.asgi, its workers forked after the import.

    python -m config.serve

Importing once before the fork halves the work of a start and shares the memory of the code.
"""

import gc
import os
import resource
import signal
import sys

# Pages and endpoints run in threads: a pool bounds their connections (see settings).
os.environ.setdefault("DATABASE_POOL_SIZE", "16")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from config.asgi import Application, application
from config.listening import PortTaken, check_port
from config.processes import die_with_parent

BACKLOG = 2048
# Open connections, also those of phones that keep theirs for the next fixes and say nothing:
# each costs a few kB and a file descriptor, and past the bound the port takes nobody.
CONNECTIONS_PER_WORKER = 10_000
# Files that a worker has open besides: the database, Redis, statics, the event loop.
OTHER_FILES_PER_WORKER = 512
# How long a connection may wait for the next request, or in the middle of one's headers.
SILENT_CONNECTION_MS = 10_000
WORKER_STOP_TIMEOUT_S = 3  # less than the supervisor gives the whole
# A group of fixes is thousands of short-lived objects without cycles: looking for some among
# them every 700 objects is about a tenth of a worker's time under load.
OBJECTS_UNTIL_COLLECTION = 50_000


def raise_file_limit(wanted: int) -> int:
    """Let this process and its children open `wanted` files, or as many as they ever may.

    Gives the limit that holds then: a higher one stays as it is.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


class Web:
    """Runs in the main process, and by `load` in each worker."""

    def __init__(self) -> None:
        self.main_pid = os.getpid()

    def load(self) -> Application:
        # A worker without its main process would hold the port and serve old code.
        die_with_parent(self.main_pid, signal.SIGTERM)
        return application

    def serve(self) -> None:
        files = raise_file_limit(CONNECTIONS_PER_WORKER + OTHER_FILES_PER_WORKER)
        gc.collect()
        gc.freeze()  # what was imported stays: never looked at again, and shared by the workers
        gc.set_threshold(OBJECTS_UNTIL_COLLECTION, 20, 50)
        Server(
            "config.asgi:application",
            address=settings.HOST,
            port=settings.PORT,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            loop=Loops.uvloop,
            workers=settings.WEB_WORKERS,
            backlog=BACKLOG,
            backpressure=min(CONNECTIONS_PER_WORKER, max(files - OTHER_FILES_PER_WORKER, 128)),
            http1_settings=HTTP1Settings(header_read_timeout=SILENT_CONNECTION_MS),
            respawn_failed_workers=True,
            workers_kill_timeout=WORKER_STOP_TIMEOUT_S,
            log_dictconfig=settings.LOGGING,
            log_level=LogLevels.warning,
            log_access=False,
        ).serve(target_loader=self.load, wrap_loader=False)


if __name__ == "__main__":
    try:
        check_port(settings.HOST, settings.PORT)
    except PortTaken as taken:
        sys.exit(f"milepost: {taken}")
    Web().serve()
