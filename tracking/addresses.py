"""Addresses of the page itself with some of its filters changed."""

from django.http import QueryDict

# Where in a list somebody is: starts anew when what is listed changes.
PLACES = ("page", "cursor")
# These mean something while they are empty: a day without an end.
DAYS = ("from", "to")


def with_changes(query: QueryDict, **changes: str) -> str:
    """The address with some filters changed; empty ones are left out, but for days."""
    changed = query.copy()
    for name, value in changes.items():
        changed[name] = value
    return _address(changed)


def toggled(query: QueryDict, name: str, value: str) -> str:
    """The address with one value of a filter put in or taken out, from the first page on."""
    changed = query.copy()
    for place in PLACES:
        changed.pop(place, None)
    values = changed.getlist(name)
    kept = [one for one in values if one != value]
    changed.setlist(name, kept if value in values else [*values, value])
    return _address(changed)


def _address(query: QueryDict) -> str:
    for name in list(query):
        kept = [value for value in query.getlist(name) if value]
        if kept or name not in DAYS:
            query.setlist(name, kept)
    return f"?{query.urlencode()}"
