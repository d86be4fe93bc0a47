"""The basemap: arcs are joined, rings are cut to the box, and no package means no borders."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tracking.basemap import (
    Box,
    NoWorldAtlas,
    build_basemap,
    clipped,
    countries,
    decoded_arcs,
    joined,
)
from tracking.nearby import nearby
from tracking.places import PLACES

UNIT = Box(0.0, 0.0, 10.0, 10.0)
# Two squares beside each other that share the arc between them, on a grid of half degrees.
TOPOLOGY: dict[str, Any] = {
    "transform": {"scale": [0.5, 0.5], "translate": [-2.0, 2.0]},
    "arcs": [
        [[8, 0], [0, 8]],  # the shared edge: (2,2) to (2,6)
        [[8, 8], [-8, 0], [0, -8], [8, 0]],  # around the west one
        [[8, 0], [8, 0], [0, 8], [-8, 0]],  # around the east one
    ],
    "objects": {
        "countries": {
            "geometries": [
                {"type": "Polygon", "arcs": [[0, 1]]},
                {"type": "MultiPolygon", "arcs": [[[2, ~0]]]},
                {"type": "Point"},
            ]
        }
    },
}


def test_arcs_are_summed_and_scaled() -> None:
    assert decoded_arcs(TOPOLOGY)[0] == [(2.0, 2.0), (2.0, 6.0)]


def test_a_ring_is_joined_from_arcs_in_both_directions() -> None:
    arcs = decoded_arcs(TOPOLOGY)
    assert joined([2, ~0], arcs) == [(2, 2), (6, 2), (6, 6), (2, 6), (2, 2)]


def test_countries_are_cut_to_the_box() -> None:
    west, east = countries(TOPOLOGY, UNIT)
    ((ring,),) = west["geometry"]["coordinates"]
    assert {x for x, _ in ring} == {0.0, 2.0}
    assert ring[0] == ring[-1]
    assert east["geometry"]["coordinates"] == [[[(2, 2), (6, 2), (6, 6), (2, 6), (2, 2)]]]


def test_what_lies_outside_is_gone_and_a_corner_is_cut() -> None:
    assert clipped([(20, 20), (30, 20), (30, 30), (20, 20)], UNIT) == []
    cut = clipped([(8, 8), (12, 8), (12, 12), (8, 12), (8, 8)], UNIT)
    assert set(cut) == {(8, 8), (10, 8), (10, 10), (8, 10)}


def test_the_files_are_whole_and_packed(tmp_path: Path) -> None:
    (tmp_path / "countries-10m.json").write_text(json.dumps(TOPOLOGY))
    files = build_basemap(tmp_path, tmp_path / "out", UNIT)
    assert [path.name for path in files] == ["land.json.gz", "places.json.gz"]
    land, places = (json.loads(gzip.decompress(path.read_bytes())) for path in files)
    assert len(land["features"]) == 2
    assert len(places["features"]) == len(PLACES)
    brussels = places["features"][0]
    assert brussels["properties"]["names"] == {"en": "Brussels", "nl": "Brussel", "fr": "Bruxelles"}


def test_without_the_package_the_map_has_no_borders(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    with pytest.raises(NoWorldAtlas):
        build_basemap(tmp_path, tmp_path / "out")
    call_command("basemap", world_atlas=tmp_path)
    assert Client().get("/map/land.json").status_code == 204


def test_the_files_are_served_once(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "countries-10m.json").write_text(json.dumps(TOPOLOGY))
    call_command("basemap", world_atlas=tmp_path)
    first = Client().get("/map/land.json")
    assert json.loads(gzip.decompress(first.content))["type"] == "FeatureCollection"
    again = Client().get("/map/land.json", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().get("/map/secret_key.json").status_code == 204


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [(51.21, 4.41, "Antwerp"), (50.46, 4.86, "Namur"), (51.05, 3.73, "Ghent")],
)
def test_a_point_is_near_the_nearest_place(latitude: float, longitude: float, name: str) -> None:
    found = nearby(latitude, longitude)
    assert found is not None
    assert found.place.english == name
    assert found.distance_m < 3_000


def test_the_sea_is_near_nothing() -> None:
    assert nearby(56.0, 3.0) is None
