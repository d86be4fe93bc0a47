"""Periods that the database keeps from overlapping, with core PostgreSQL alone."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce


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


def ends_at(period: str) -> Coalesce:
    """When a period ends; an open end sorts after every moment.

    An index on an id and this finds the few periods that had not ended by a moment, however
    many lie in the past: a plain B-tree, which the planner cannot mistake for another's.
    """
    return Coalesce(
        Func(F(period), function="upper"),
        Cast(Value("infinity"), models.DateTimeField()),
        output_field=models.DateTimeField(),
    )
