"""Bring the database to the state this code needs: migrations, months, the demo fleet.

Refuses a database that may lose what it has acknowledged.

    python -m config.prepare [--demo]

Cheap when nothing is to be done; `make run` runs it at every start.
"""

import argparse
import os
import sys

import django
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.database import DURABLE, SHOW_DURABLE, not_durable
from tracking.partitions import make_partitions


def refuse_losing_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SHOW_DURABLE, {"names": list(DURABLE)})
        lacking = not_durable(dict(cursor.fetchall()))
    if lacking:
        sys.exit(f"milepost: the database may lose what it acknowledged ({', '.join(lacking)})")


def migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--demo", action="store_true", help="seed the demo fleet as well")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    refuse_losing_database()
    migrate()
    make_partitions()
    if arguments.demo and "seed_demo" in get_commands():
        call_command("seed_demo")


if __name__ == "__main__":
    main()
