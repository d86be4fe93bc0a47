"""What a command says when the database is away. (pure)"""


def not_ready(error: Exception) -> str:
    """One line: libpq says over several what it tried."""
    return f"The database is not ready: {' '.join(str(error).split())}"
