"""What a measurement says, how it is shown and how it is kept. (pure)"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

WIDTHS: Final = (3, 60, 15, 12, 6)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a value keeps or breaks."""

    sense: Literal["at least", "at most", "below"]
    bound: float

    def is_met_by(self, value: float) -> bool:
        match self.sense:
            case "at least":
                return value >= self.bound
            case "at most":
                return value <= self.bound
            case "below":
                return value < self.bound

    @property
    def text(self) -> str:
        sign = {"at least": ">=", "at most": "<=", "below": "<"}[self.sense]
        return f"{sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its unit; `detail` says how it came about."""

    step: str
    name: str
    value: float
    unit: str = ""
    target: Target | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        return None if self.target is None else self.target.is_met_by(self.value)

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "value": round(self.value, 4),
            "target": self.target.text if self.target else None,
            "passed": self.passed,
        }

    @property
    def row(self) -> tuple[str, ...]:
        verdict = {None: "", True: "pass", False: "FAIL"}[self.passed]
        value = f"{shown(self.value)} {self.unit}".strip()
        return (self.step, self.name, value, self.target.text if self.target else "", verdict)


def shown(value: float) -> str:
    """As many digits as a person reads."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def failed(step: str, why: str) -> Figure:
    """A step that gave no figure: counts as a target that was not met."""
    return Figure(
        step, " ".join(f"not measured: {why}".split())[:200], 0, "", Target("at least", 1)
    )


def table(figures: Sequence[Figure]) -> str:
    rows = [("", "measured", "value", "target", ""), *(figure.row for figure in figures)]
    lines = []
    for row in rows:
        step, name, value, target, verdict = (
            text.rjust(width) if index == 2 else text.ljust(width)
            for index, (text, width) in enumerate(zip(row, WIDTHS, strict=True))
        )
        lines.append(f"{step} {name} {value}  {target} {verdict}".rstrip())
    lines.insert(1, "-" * (sum(WIDTHS) + len(WIDTHS)))
    return "\n".join(lines)
