"""Which site a row of a table means: one that is known, one to be made, or a problem."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from missions.import_columns import RowProblem
from missions.import_grouping import AskedStop
from missions.import_lookups import Known
from missions.models import Site
from missions.serializers import SiteSerializer

# Columns of the table, and the site's own field that each one is.
SITE_FIELDS: Final[Mapping[str, str]] = {
    "site_external_id": "external_id",
    "site_name": "name",
    "site_address": "address",
    "latitude": "latitude",
    "longitude": "longitude",
}
_COLUMNS: Final = {field_name: column for column, field_name in SITE_FIELDS.items()}
# Degrees: 0.1 m. Programs write a coordinate with as many decimals as they please.
_SAME_PLACE: Final = 1e-6
SiteKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewSite:
    """A site that the import will make; rows that mean the same one share it."""

    key: SiteKey
    said: Mapping[str, str]
    fields: Mapping[str, Any]


@dataclass(slots=True)
class SiteFinder:
    """Finds the sites of one table, and remembers those to be made and what is wrong."""

    known: Known
    new: dict[SiteKey, NewSite] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    _refused: set[SiteKey] = field(default_factory=set)

    def site_of(self, stop: AskedStop) -> Site | NewSite | None:
        """The site of a stop; None when its row names none, or names it wrongly."""
        if "site_id" in stop.cells:
            found = self.known.sites_by_uuid.get(stop.cells["site_id"].lower())
            if found is None:
                self._refuse(stop, "site_id", "unknown_site", "There is no site with this id.")
            return found
        said = {column: stop.cells[column] for column in SITE_FIELDS if column in stop.cells}
        if not said:
            return None
        if "site_external_id" in said:
            site = self.known.sites.get(said["site_external_id"])
            if site is not None:
                self._warn_of_differences(stop, said, site)
                return site
        elif alike := self._alike(said):
            if len(alike) == 1:
                return alike[0]
            detail = "Several sites have this name and address: give site_external_id."
            self._refuse(stop, "site_name", "site_ambiguous", detail)
            return None
        return self._to_make(stop, said)

    def _alike(self, said: Mapping[str, str]) -> list[Site]:
        sites = self.known.sites_by_name.get(said.get("site_name", ""), [])
        return [site for site in sites if not _differing(said, site)]

    def _refuse(self, stop: AskedStop, column: str | None, code: str, detail: str) -> None:
        self.problems.append(RowProblem(stop.row_of(column), column, code, detail))

    def _warn_of_differences(self, stop: AskedStop, said: Mapping[str, str], site: Site) -> None:
        for column in _differing(said, site):
            detail = "The site has another value. An import changes no sites; this one stays."
            row = stop.row_of(column)
            self.problems.append(RowProblem(row, column, "site_differs", detail, is_warning=True))

    def _to_make(self, stop: AskedStop, said: Mapping[str, str]) -> NewSite | None:
        if reason := _unmakable(said):
            self._refuse(stop, next(iter(said)), "unknown_site", reason)
            return None
        key = _key(said)
        if key in self._refused:
            return None
        if (made := self.new.get(key)) is not None:
            if made.said != said:
                detail = "An earlier row makes this site with another value."
                self._refuse(stop, "site_external_id", "site_differs_from_row_above", detail)
            return made
        asked = SiteSerializer(data={SITE_FIELDS[column]: text for column, text in said.items()})
        if asked.is_valid():
            return self.new.setdefault(key, NewSite(key, said, dict(asked.validated_data)))
        self._refused.add(key)
        for name, errors in asked.errors.items():
            for error in errors:
                self._refuse(stop, _COLUMNS.get(str(name)), error.code, str(error))
        return None


def _unmakable(said: Mapping[str, str]) -> str:
    """Why no site can be made of this; "" when one can."""
    if "site_name" not in said:
        return "No site is known by this, and there is no site_name to make one."
    if len(said) == 1:
        return "No site has this name. Give its address or its position to make it."
    return ""


def _key(said: Mapping[str, str]) -> SiteKey:
    """What makes two rows name one new site: its external id, else all that they say of it."""
    if "site_external_id" in said:
        return ("site_external_id", said["site_external_id"])
    return tuple(said.get(column, "") for column in SITE_FIELDS)


def _differing(said: Mapping[str, str], site: Site) -> list[str]:
    """Columns in which the table says of a site what it does not say itself."""
    return [
        column
        for column, text in said.items()
        if not _is_same(text, getattr(site, SITE_FIELDS[column]))
    ]


def _is_same(text: str, stored: str | float | None) -> bool:
    if isinstance(stored, float):
        return abs(float(text) - stored) < _SAME_PLACE
    return text == (stored or "")
