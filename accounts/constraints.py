"""Which sentence of the database a write has broken, or why it was put off."""

from typing import Final

from django.db import Error, IntegrityError

# Of two or more that wait for each other the database ends one, whoever that is.
_DEADLOCK: Final = "40P01"


def violated_by(error: IntegrityError) -> str:
    """The name of the constraint, or an empty word when the server did not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def is_deadlock(error: Error) -> bool:
    """Whether the same transaction, begun again, will most likely succeed."""
    return getattr(error.__cause__, "sqlstate", None) == _DEADLOCK
