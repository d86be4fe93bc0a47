"""The operator's own map: what is taken, what is refused, and how it is served."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.template import Context, Template
from django.test import Client
from pmtiles.tile import TileType

from tests.tracking.tile_files import write_tile_file
from tracking.map_pages import MOST_BYTES
from tracking.tile_file import opens_tiles, tile_file_path, tiles_link_token


@pytest.fixture
def installed(tmp_path: Path, settings: Any) -> Path:
    """A tile file in place, by the command."""
    settings.BASEMAP_PMTILES = tmp_path / "in" / "place" / "map.pmtiles"
    call_command("basemap", pmtiles=write_tile_file(tmp_path / "cut.pmtiles"))
    return tile_file_path()


def map_url() -> str:
    return f"/map/tiles/{tiles_link_token(datetime.now(UTC).date())}/map.pmtiles"


def basemap_data() -> str:
    return Template("{% load basemap %}{% basemap_data %}").render(Context())


def test_a_file_is_copied_whole_and_told_of(installed: Path, tmp_path: Path) -> None:
    assert installed.read_bytes() == (tmp_path / "cut.pmtiles").read_bytes()
    assert [path.name for path in installed.parent.iterdir()] == ["map.pmtiles"]


def test_pages_name_it_only_where_there_is_one(installed: Path) -> None:
    assert 'data-tiles-url="/map/tiles/' in basemap_data()
    call_command("basemap", remove_pmtiles=True)
    assert "tiles-url" not in basemap_data()
    assert 'data-land-url="/map/land.json"' in basemap_data()


def test_what_is_no_map_is_refused_and_the_old_one_stays(installed: Path, tmp_path: Path) -> None:
    before = installed.read_bytes()
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8" + bytes(500))
    with pytest.raises(CommandError, match="not a PMTiles file"):
        call_command("basemap", pmtiles=photo)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("basemap", pmtiles=tmp_path / "nothing")
    pictures = write_tile_file(tmp_path / "pictures.pmtiles", tile_type=TileType.PNG)
    with pytest.raises(CommandError, match="holds pictures"):
        call_command("basemap", pmtiles=pictures)
    roads = write_tile_file(tmp_path / "roads.pmtiles", layers=("roads", "earth"))
    with pytest.raises(CommandError, match="no layer water"):
        call_command("basemap", pmtiles=roads)
    assert installed.read_bytes() == before


def test_a_map_is_served_in_ranges(installed: Path) -> None:
    answer = Client().get(map_url(), headers={"Range": "bytes=0-126"})
    assert answer.status_code == 206
    assert answer.content == installed.read_bytes()[:127]
    size = installed.stat().st_size
    assert answer["Content-Range"] == f"bytes 0-126/{size}"
    assert answer["Content-Type"] == "application/vnd.pmtiles"
    again = Client().get(map_url(), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    beyond = Client().get(map_url(), headers={"Range": f"bytes={size + 5}-{size + 10}"})
    assert beyond.status_code == 416


def test_nobody_gets_a_large_map_in_one_piece(installed: Path) -> None:
    assert Client().get(map_url()).status_code == 200  # small as it is
    with installed.open("r+b") as opened:
        opened.truncate(MOST_BYTES + 1)
    assert Client().get(map_url()).status_code == 416
    assert Client().get(map_url(), headers={"Range": "bytes=0-99"}).status_code == 206


def test_an_address_that_no_page_gave_out_is_not_there(installed: Path) -> None:
    assert Client().get(map_url()).status_code == 200
    assert Client().get(map_url().replace(":", ":x")).status_code == 404
    assert Client().get("/map/tiles/2026-11-25/map.pmtiles").status_code == 404
    installed.unlink()
    assert Client().get(map_url()).status_code == 404


def test_an_address_lives_until_the_end_of_the_next_day() -> None:
    day = date(2026, 3, 29)
    token = tiles_link_token(day)
    assert [opens_tiles(token, day + timedelta(days=n)) for n in (-1, 0, 1, 2)] == [
        False,
        True,
        True,
        False,
    ]


def test_an_outside_server_is_warned_of(settings: Any) -> None:
    def warned() -> list[str | None]:
        return [one.id for one in run_checks(include_deployment_checks=True)]

    assert "milepost.W001" not in warned()
    settings.BASEMAP_TILES_URL = "https://tiles.example/{z}/{x}/{y}.png"
    settings.BASEMAP_TILES_HOST = "https://tiles.example"
    assert "milepost.W001" in warned()
    assert 'data-pictures-url="https://tiles.example/{z}/{x}/{y}.png"' in basemap_data()
