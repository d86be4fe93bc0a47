"""What is to be loaded or unloaded at a stop, line by line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from missions.models import GoodsLine, Stop

LINE_FIELDS: Final = ("line_no", "description", "quantity", "unit", "weight_kg", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsPlan:
    """One line as it was asked for. `line_no` of None: the number after the line before."""

    description: str
    quantity: Decimal
    unit: str = ""
    weight_kg: Decimal | None = None
    reference: str = ""
    line_no: int | None = None


def numbered(plans: Iterable[GoodsPlan]) -> Iterator[tuple[int, GoodsPlan]]:
    """Each line with its number."""
    line_no = 0
    for plan in plans:
        line_no = line_no + 1 if plan.line_no is None else plan.line_no
        yield line_no, plan


def goods_of(stop: Stop, plans: Iterable[GoodsPlan]) -> list[GoodsLine]:
    """The rows for the lines of a stop, in the order of their numbers, not saved."""
    lines = [
        GoodsLine(
            employer_id=stop.employer_id,
            stop=stop,
            line_no=line_no,
            description=plan.description,
            quantity=plan.quantity,
            unit=plan.unit,
            weight_kg=plan.weight_kg,
            reference=plan.reference,
        )
        for line_no, plan in numbered(plans)
    ]
    return sorted(lines, key=lambda line: line.line_no)


def are_same(plans: Iterable[GoodsPlan], stored: Sequence[GoodsLine], stop: Stop) -> bool:
    """Whether these lines say what is stored; `stored` in the order of its numbers."""
    return list(map(_content, goods_of(stop, plans))) == list(map(_content, stored))


def _content(line: GoodsLine) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in LINE_FIELDS)


def replace_goods(stop: Stop, plans: Sequence[GoodsPlan]) -> bool:
    """Make these the lines of a stop whose mission is locked. False: they were already."""
    stored = list(stop.goods.order_by("line_no"))
    if are_same(plans, stored, stop):
        return False
    stop.goods.all().delete()
    GoodsLine.objects.bulk_create(goods_of(stop, plans))
    return True
