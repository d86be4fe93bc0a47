"""Where the demo's trucks can drive: a few Belgian motorways, drawn by us. (pure)

Junctions to a hundredth of a degree and the stretches between them, from general
knowledge. A stretch is bent a little, so that a track looks driven and not ruled.
"""

import heapq
from itertools import pairwise
from math import cos, pi, radians, sin
from typing import Final, NamedTuple

from tracking.geometry import distance_m

Point = tuple[float, float]  # latitude, longitude in degrees

STEP_M: Final = 50.0
BEND_EVERY_M: Final = 3_500.0
BEND_M: Final = 90.0
METRES_PER_DEGREE: Final = 111_195.0


class Site(NamedTuple):
    """A made-up yard of the demo, and the junction it is reached from."""

    key: str
    name: str
    address: str
    latitude: float
    longitude: float
    junction: str


SITES: Final = {
    site.key: site
    for site in (
        Site("depot", "Depot Antwerpen-Haven", "Noorderlaan, Antwerpen", 51.2680, 4.3935, "haven"),
        Site("gent", "Bakkerij De Halm", "Skaldenstraat, Gent", 51.1020, 3.7630, "lochristi"),
        Site("zeebrugge", "Koelhuis Zeebrugge", "Kustlaan, Zeebrugge",
             51.3190, 3.2060, "zeebrugge"),
        Site("brussel", "Marché matinal", "Quai des Usines, Bruxelles",
             50.8830, 4.3720, "vilvoorde"),
        Site("kortrijk", "Textielhal Kortrijk", "Kennedylaan, Kortrijk",
             50.8080, 3.2950, "kortrijk"),
        Site("luik", "Entrepôt de la Meuse", "Rue de l'Île Monsin, Liège",
             50.6580, 5.6230, "vottem"),
        Site("namen", "Quincaillerie Lambert", "Rue de Gembloux, Namur", 50.4830, 4.8450, "namur"),
        Site("charleroi", "Plateforme Gosselies", "Rue Santos-Dumont, Gosselies",
             50.4700, 4.4700, "gosselies"),
        Site("bergen", "Dépôt du Borinage", "Avenue Wilson, Mons", 50.4420, 3.9290, "mons"),
        Site("leuven", "Brouwerij De Vaart", "Vaartkom, Leuven", 50.8890, 4.7010, "leuven"),
        Site("hasselt", "Fruitveiling Hasselt", "Kempische Kaai, Hasselt",
             50.9430, 5.3400, "hasselt"),
        Site("aarlen", "Logistique Weyler", "Rue de Grass, Arlon", 49.6560, 5.8080, "arlon"),
    )
}  # fmt: skip

JUNCTIONS: Final[dict[str, Point]] = {
    "haven": (51.258, 4.410), "antwerpen": (51.222, 4.448), "kontich": (51.130, 4.455),
    "kennedy": (51.202, 4.378), "kruibeke": (51.168, 4.300), "sint-niklaas": (51.140, 4.150),
    "lokeren": (51.095, 3.995), "lochristi": (51.078, 3.850), "gent": (51.010, 3.735),
    "deinze": (50.958, 3.570), "waregem": (50.866, 3.430), "kortrijk": (50.818, 3.290),
    "aalter": (51.078, 3.455), "brugge": (51.165, 3.200), "zeebrugge": (51.300, 3.210),
    "wetteren": (50.975, 3.880), "aalst": (50.915, 4.030), "bijgaarden": (50.880, 4.265),
    "mechelen": (51.035, 4.445), "vilvoorde": (50.915, 4.410), "zaventem": (50.880, 4.470),
    "leonard": (50.802, 4.445), "halle": (50.745, 4.262), "nijvel": (50.600, 4.300),
    "louviere": (50.495, 4.200), "mons": (50.470, 3.960), "gosselies": (50.480, 4.440),
    "leuven": (50.865, 4.680), "tienen": (50.790, 4.930), "waremme": (50.700, 5.250),
    "loncin": (50.672, 5.480), "vottem": (50.672, 5.580), "wavre": (50.710, 4.580),
    "gembloux": (50.570, 4.720), "namur": (50.500, 4.850), "huy": (50.550, 5.200),
    "achene": (50.270, 5.060), "libramont": (49.940, 5.340), "arlon": (49.685, 5.770),
    "herentals": (51.165, 4.820), "geel": (51.100, 5.000), "lummen": (50.985, 5.235),
    "hasselt": (50.955, 5.330), "tongeren": (50.800, 5.450), "aarschot": (50.965, 4.820),
}  # fmt: skip

ROADS: Final = (
    ("haven", "antwerpen", "kontich", "mechelen", "vilvoorde", "bijgaarden", "halle", "nijvel",
     "louviere", "mons"),
    ("antwerpen", "kennedy", "kruibeke", "sint-niklaas", "lokeren", "lochristi", "gent", "deinze",
     "waregem", "kortrijk"),
    ("zeebrugge", "brugge", "aalter", "gent", "wetteren", "aalst", "bijgaarden"),
    ("vilvoorde", "zaventem", "leuven", "tienen", "waremme", "loncin", "vottem"),
    ("zaventem", "leonard", "wavre", "gembloux", "namur", "achene", "libramont", "arlon"),
    ("louviere", "gosselies", "namur", "huy", "loncin"),
    ("antwerpen", "herentals", "geel", "lummen", "hasselt", "tongeren", "vottem"),
    ("leuven", "aarschot", "lummen"),
)  # fmt: skip


def road_between(start: Site, end: Site) -> list[Point]:
    """The driven line between two sites: a point about every 50 m, both ends included."""
    junctions = _shortest(start.junction, end.junction)
    corners = [
        (start.latitude, start.longitude),
        *(JUNCTIONS[name] for name in junctions),
        (end.latitude, end.longitude),
    ]
    return _bent(_smoothed(corners))


def _neighbours() -> dict[str, set[str]]:
    neighbours: dict[str, set[str]] = {name: set() for name in JUNCTIONS}
    for road in ROADS:
        for here, there in pairwise(road):
            neighbours[here].add(there)
            neighbours[there].add(here)
    return neighbours


def _shortest(start: str, end: str) -> list[str]:
    """The junctions on the shortest way (Dijkstra), both ends included."""
    neighbours = _neighbours()
    waiting: list[tuple[float, list[str]]] = [(0.0, [start])]
    seen: set[str] = set()
    while waiting:
        driven_m, way = heapq.heappop(waiting)
        here = way[-1]
        if here == end:
            return way
        if here in seen:
            continue
        seen.add(here)
        for there in sorted(neighbours[here] - seen):
            leg_m = distance_m(*JUNCTIONS[here], *JUNCTIONS[there])
            heapq.heappush(waiting, (driven_m + leg_m, [*way, there]))
    raise ValueError(f"no road from {start} to {end}")


def _smoothed(corners: list[Point]) -> list[Point]:
    """A Catmull-Rom curve through the corners, a point about every STEP_M."""
    padded = [corners[0], *corners, corners[-1]]
    curve: list[Point] = []
    for before, here, there, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        steps = max(1, round(distance_m(*here, *there) / STEP_M))
        for step in range(steps):
            share = step / steps
            curve.append(
                (
                    _spline(before[0], here[0], there[0], after[0], share),
                    _spline(before[1], here[1], there[1], after[1], share),
                )
            )
    return [*curve, corners[-1]]


def _spline(before: float, here: float, there: float, after: float, share: float) -> float:
    # Half the usual tension: corners far apart must not throw the curve into a field.
    start_slope, end_slope = (there - before) / 4, (after - here) / 4
    square, cube = share * share, share * share * share
    return (
        (2 * cube - 3 * square + 1) * here
        + (cube - 2 * square + share) * start_slope
        + (3 * square - 2 * cube) * there
        + (cube - square) * end_slope
    )


def _bent(curve: list[Point]) -> list[Point]:
    """The curve swinging a little to both sides, and not at all at its two ends."""
    bent = []
    whole_m = (len(curve) - 1) * STEP_M
    for index, (latitude, longitude) in enumerate(curve):
        along_m = index * STEP_M
        near_end = min(along_m, whole_m - along_m, BEND_EVERY_M) / BEND_EVERY_M
        swing_m = (
            near_end
            * BEND_M
            * (sin(2 * pi * along_m / BEND_EVERY_M) + sin(2 * pi * along_m / (2.7 * BEND_EVERY_M)))
        )
        bent.append(
            (
                latitude + swing_m / METRES_PER_DEGREE,
                longitude - swing_m / METRES_PER_DEGREE / cos(radians(latitude)),
            )
        )
    return bent
