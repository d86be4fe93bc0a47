"""Fields of the API that DRF has not: places, stages, and ids of the own employer's rows."""

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, NotFound

from accounts.models import Driver
from accounts.serializers import MomentField as MomentField
from missions.opening_hours import MOST_ENTRIES, hours_problems, minute_of_day
from missions.stages import STAGE_BY_LABEL, Stage

Row = TypeVar("Row", bound=Model)


class DegreesField(serializers.FloatField):
    """Latitude or longitude; not NaN, which passes every comparison."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        super().__init__(min_value=-limit, max_value=limit, **options)

    def to_internal_value(self, data: Any) -> float:
        degrees = super().to_internal_value(data)
        if not isfinite(degrees):
            self.fail("invalid")
        return degrees


@extend_schema_field({"type": "number"})
class AmountField(serializers.DecimalField):
    """A quantity or a weight, with at most three decimals; a number in JSON, not text."""

    def __init__(self, *, least: Decimal, **options: Any) -> None:
        super().__init__(max_digits=12, decimal_places=3, min_value=least, **options)

    def to_representation(self, value: Decimal) -> Any:
        return int(value) if value == value.to_integral_value() else float(value)


class ClockField(serializers.CharField):
    """A time of day, "00:00" to "24:00"."""

    def to_internal_value(self, data: Any) -> str:
        clock = super().to_internal_value(data)
        try:
            minute_of_day(clock)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.", code="invalid_time") from None
        return clock


class WholeFields(serializers.Serializer[Any]):
    """An object inside another that a change replaces as a whole.

    DRF takes the fields of inner objects, too, for optional while the outer one is changed.
    """

    def to_internal_value(self, data: Any) -> Any:
        missing = {
            name: [ErrorDetail(str(field.error_messages["required"]), "required")]
            for name, field in self.fields.items()
            if field.required and isinstance(data, Mapping) and name not in data
        }
        if missing:
            raise serializers.ValidationError(missing)
        return super().to_internal_value(data)


class OpeningFields(WholeFields):
    """Open on these days from `opens` until `closes`."""

    days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        min_length=1,
        help_text="ISO weekdays: Monday is 1.",
    )
    opens = ClockField()
    closes = ClockField(help_text="The first minute at which it is shut; may be 24:00.")

    def validate_days(self, days: list[int]) -> list[int]:
        return sorted(set(days))


class BoundedListField(serializers.ListField):
    """A list whose length is judged before what is in it, which may cost queries."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.most = max_length

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > self.most:
            detail = f"These are {len(data)}; at most {self.most} are taken."
            raise serializers.ValidationError(detail, code="max_length")
        return super().to_internal_value(data)


class OpeningHoursField(BoundedListField):
    """The hours of a site, as opening_hours.py describes them; an empty list: nobody said."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=OpeningFields(), max_length=MOST_ENTRIES, **options)

    def to_internal_value(self, data: Any) -> list[Mapping[str, Any]]:
        hours: list[Mapping[str, Any]] = super().to_internal_value(data)
        wrong = {}
        for problem in hours_problems(hours):
            index, name = problem.pointer.strip("/").split("/")
            wrong[index] = {name: [ErrorDetail(problem.detail, problem.code)]}
        if wrong:
            raise serializers.ValidationError(wrong)
        return hours


class OwnField(serializers.SlugRelatedField[Row]):
    """The id of a row of the asking employer. NotFound for another's, as for one that is nobody's.

    The serializer's context carries `employer`.
    """

    default_error_messages = {"invalid": "Not an id."}

    def __init__(self, rows: QuerySet[Row] | None = None, **options: Any) -> None:
        if rows is not None:
            options["queryset"] = rows
        super().__init__(slug_field="uuid", **options)

    def to_internal_value(self, data: Any) -> Row:
        try:
            wanted = UUID(data)
        except (ValueError, TypeError, AttributeError):
            self.fail("invalid")
        row = self.get_queryset().filter(uuid=wanted).first()
        if row is None:
            # Not about a field: the wall between employers is 404 wherever an id is given.
            raise NotFound(f"There is no such {self.field_name}.")
        return row

    def get_queryset(self) -> QuerySet[Row]:
        rows = super().get_queryset()
        if rows is None:
            raise TypeError("a field that is read only takes no ids")
        # Nobody asks while the schema is drawn.
        employer = self.context.get("employer")
        return rows.filter(employer=employer) if employer else rows.none()


class DriverField(OwnField[Driver]):
    """A driver by id. One who is frozen is out of every read, and so as unknown as nobody."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Driver.objects.filter(frozen_at=None), **options)


@extend_schema_field({"type": "string", "description": "Its external_id, else its id."})
class SiteField(OwnField[Any]):
    """A site by its id or, matched first, by its external id."""

    def to_internal_value(self, data: Any) -> Any:
        name = serializers.CharField(max_length=100).run_validation(data)
        named = self.get_queryset().filter(external_id=name).first()
        return named or super().to_internal_value(name)


class StageField(serializers.ChoiceField):
    """A stage by its name on the wire. (The stubs of its base hold every choice to be text.)"""

    def __init__(self, **options: Any) -> None:
        super().__init__(list(STAGE_BY_LABEL), **options)

    def to_internal_value(self, data: Any) -> Stage:  # type: ignore[override]
        return STAGE_BY_LABEL[super().to_internal_value(data)]

    def to_representation(self, value: int) -> str:  # type: ignore[override]
        return Stage(value).label
