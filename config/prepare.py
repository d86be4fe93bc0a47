"""Bring the database to the state this code needs: migrations, months, the demo fleet.

    python -m config.prepare [--demo]

Cheap when nothing is to be done; `make run` runs it at every start.
"""

import argparse
import os

import django
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tracking.partitions import make_partitions


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
    migrate()
    make_partitions()
    if arguments.demo and "seed_demo" in get_commands():
        call_command("seed_demo")


if __name__ == "__main__":
    main()
