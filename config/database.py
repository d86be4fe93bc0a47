"""How to reach the database without Django, and whether a commit there is really kept."""

from collections.abc import Mapping
from typing import Any

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SHOW_DURABLE = "SELECT name, setting FROM pg_settings WHERE name = ANY(%(names)s)"


def connection_arguments(database: Mapping[str, Any]) -> dict[str, Any]:
    """What psycopg.connect takes, from an entry of DATABASES. The session's zone is UTC."""
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if name != "pool"}
    named = {
        "dbname": database.get("NAME"),
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "host": database.get("HOST"),
        "port": database.get("PORT"),
    }
    return {
        **options,
        **{name: value for name, value in named.items() if value},
        "connect_timeout": 2,
        "options": "-c TimeZone=UTC",
    }


def not_durable(found: Mapping[str, str]) -> list[str]:
    """The settings under which the database may lose what it has acknowledged."""
    return [
        f"{name} is {found.get(name)}"
        for name, wanted in DURABLE.items()
        if found.get(name) != wanted
    ]
