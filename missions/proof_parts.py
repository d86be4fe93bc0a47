"""The parts of a proof as text, ready to be drawn. (pure)"""

from dataclasses import dataclass

from missions.site_sketch import Mark


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what is said under it."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Heads and rows of text. Columns in `numbers` are aligned to the right."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()

    @property
    def named_rows(self) -> list[list[tuple[str, str]]]:
        """Each cell with its heading, for a narrow screen that shows one under the other."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class SignatureTexts:
    """`id` finds what was drawn. `facts` are short, `long_facts` need a whole line."""

    id: str
    outcome: str
    facts: tuple[Fact, ...]
    long_facts: tuple[Fact, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class PhotoTexts:
    id: str
    caption: str


@dataclass(frozen=True, slots=True)
class ProofTexts:
    """Everything that stands on a proof but its number, date and code."""

    locale: str
    title: str
    employer: str
    consignee: str
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]
    goods: Table
    goods_note: str
    times: Table
    spent: tuple[Fact, ...]
    stages: Table
    marks: tuple[Mark, ...]
    radius_m: int | None
    sketch_title: str
    signatures_title: str
    signatures: tuple[SignatureTexts, ...]
    nobody_signed: str
    photos_title: str
    photos: tuple[PhotoTexts, ...]
    photo_not_there: str
    more_photos: str
    disclaimer: str


@dataclass(frozen=True, slots=True)
class IssueTexts:
    """What an issued proof says of itself. `verify` tells where the code is looked up."""

    number: str
    issued: str
    replaces: str
    code_label: str
    verify: str
    page: str
