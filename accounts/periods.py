"""Periods that the database keeps from overlapping, with core PostgreSQL alone."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce


class SameId(Func):
    """`int8range(id, id, '[]')`: lets a core GiST index compare ids without btree_gist."""

    function = "int8range"

    def __init__(self, column: str) -> None:
        super().__init__(F(column), F(column), Value("[]"))


def never_two(name: str, column: str, *, may_be_null: bool = False) -> ExclusionConstraint:
    """No two rows with the same id have overlapping periods.

    A column that may be NULL says so: `int8range(NULL, NULL)` is not NULL but has no bounds,
    and would overlap every id. Rows without an id are then left out.
    """
    parts: list[tuple[str | Combinable, str]] = [
        (SameId(column), RangeOperators.OVERLAPS),
        (F("period"), RangeOperators.OVERLAPS),
    ]
    condition = Q(**{f"{column}__isnull": False}) if may_be_null else None
    return ExclusionConstraint(name=name, expressions=parts, condition=condition)


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
