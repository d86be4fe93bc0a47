"""Periods that the database keeps from overlapping, with core PostgreSQL alone."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable


class SameId(Func):
    """`int8range(id, id, '[]')`: lets a core GiST index compare ids without btree_gist."""

    function = "int8range"

    def __init__(self, column: str) -> None:
        super().__init__(F(column), F(column), Value("[]"))


def never_two(name: str, *columns: str) -> ExclusionConstraint:
    """No two rows with the same ids have overlapping periods; NULL ids never clash."""
    parts: list[tuple[str | Combinable, str]] = [
        (SameId(column), RangeOperators.OVERLAPS) for column in columns
    ]
    return ExclusionConstraint(
        name=name, expressions=[*parts, (F("period"), RangeOperators.OVERLAPS)]
    )
