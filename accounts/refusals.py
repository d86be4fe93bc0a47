"""A request that cannot be granted, said so that a person and a program understand. (pure)

Rules raise these; `problems.py` turns them into an answer, a command into its last line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `pointer` is a JSON pointer into the body sent."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):
    """A refusal: HTTP status, fixed code, one sentence, and what is wrong with which field.

    Subclasses named as the fact set `status` and `code` once.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class Invalid(Problem):
    """The request has the right form and asks for something that cannot be."""

    def __init__(self, detail: str, *, field: str = "", code: str = "invalid") -> None:
        errors = [FieldError(f"/{field}", code, detail)] if field else []
        super().__init__(detail, errors=errors)


class DriverFrozen(Problem):
    """This driver's data is frozen: nothing is stored and nothing is shown."""

    status = 403
    code = "driver_frozen"


class NotHeld(Problem):
    """Nobody carries this phone now, so it has no driver to speak for."""

    status = 403
    code = "device_not_held"


class TwoFactorRequired(Problem):
    """The employer wants a second factor of its users, and this one has none yet."""

    status = 403
    code = "two_factor_required"


class Conflict(Problem):
    """Refused because of what is already there."""

    status = 409
    code = "conflict"


class AlreadyTaken(Conflict):
    """A name, number or plate that must be unique is in use."""

    code = "already_taken"


class Overlaps(Conflict):
    """Two periods would cover the same moment; the detail names the one in the way."""

    code = "overlaps"


class TooManyTries(Problem):
    """Come back later; Retry-After says when."""

    status = 429
    code = "too_many_tries"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})
