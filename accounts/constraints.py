"""Which sentence of the database a write has broken."""

from django.db import IntegrityError


def violated_by(error: IntegrityError) -> str:
    """The name of the constraint, or an empty word when the server did not say."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
