"""The sites of an employer by what people type for one: a name, with the address beside it."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from accounts.folding import folded
from accounts.models import Employer
from missions.models import Site

# What a browser offers while somebody types. A list of more is slow, and nobody scrolls it:
# then the words are matched here once they are sent.
MOST_OFFERED: Final = 2000
MOST_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """The one site that is meant, or those that may be; none of both: no site is like that."""

    site: UUID | None
    candidates: tuple[str, ...] = ()


class SiteNames:
    """Each site under one label that no other has. One query."""

    def __init__(self, employer: Employer) -> None:
        rows = list(
            Site.objects.filter(employer=employer)
            .order_by("name", "id")
            .values_list("uuid", "name", "address", "external_id")
        )
        plain = Counter(_label(name, address) for _, name, address, _ in rows)
        self.labels: dict[UUID, str] = {}
        for uuid, name, address, external_id in rows:
            label = _label(name, address)
            if plain[label] > 1:
                label = f"{label} ({external_id or str(uuid)[:8]})"
            self.labels[uuid] = label

    @cached_property
    def _by_label(self) -> dict[str, UUID]:
        return {folded(label): uuid for uuid, label in self.labels.items()}

    @property
    def offered(self) -> list[str]:
        return list(self.labels.values())[:MOST_OFFERED]

    def label(self, site: Site | None) -> str:
        return self.labels.get(site.uuid, "") if site else ""

    def find(self, words: str) -> Found:
        """By the whole label, else by words that only one label has."""
        wanted = folded(words)
        if exact := self._by_label.get(wanted):
            return Found(exact)
        parts = wanted.split()
        like = [uuid for label, uuid in self._by_label.items() if all(p in label for p in parts)]
        if len(like) == 1:
            return Found(like[0])
        return Found(None, tuple(self.labels[uuid] for uuid in like[:MOST_CANDIDATES]))


def _label(name: str, address: str) -> str:
    return f"{name}, {address}" if address else name
