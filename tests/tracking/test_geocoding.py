"""Addresses are looked up at a geocoder only where one is set, and through the gate."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import Employer, User
from missions.models import Site
from tests.receivers import Receiver, receiver, status
from tracking.geocoding import GeocoderAway, geocoded, geocoder_host

pytestmark = pytest.mark.django_db
WHERE = "/where"
ASKED = {"date": "2026-11-24", "begin": "09:00", "end": "10:00"}
FOUND = [{"lat": "50.8503", "lon": "4.3517", "display_name": "Grote Markt, Brussel"}]
PHOTON = {
    "features": [
        {
            "geometry": {"coordinates": [4.3517, 50.8503]},
            "properties": {"name": "Grote Markt", "city": "Brussel"},
        }
    ]
}


@pytest.fixture
def geocoder(settings: Any) -> Iterator[Receiver]:
    with receiver() as running:
        settings.OUTBOUND_ALLOW_LOOPBACK = True
        settings.GEOCODER = "nominatim"
        settings.GEOCODER_URL = f"http://127.0.0.1:{running.port}"
        running.otherwise = status(200, json.dumps(FOUND).encode())
        yield running


@pytest.fixture
def desk(client: Client, dee: User) -> Client:
    client.force_login(dee)
    return client


def test_nobody_is_asked_by_default(desk: Client) -> None:
    assert geocoder_host() == ""
    assert geocoded("Grote Markt 1", "nl") is None
    answer = desk.get(WHERE, {**ASKED, "place": "Grote Markt 1"})
    assert "No site, town or coordinates are known by this" in answer.content.decode()


def test_what_is_typed_and_nothing_else_is_sent(geocoder: Receiver) -> None:
    found = geocoded("Grote Markt 1", "nl")
    assert found is not None
    assert (found.name, found.latitude) == ("Grote Markt, Brussel", 50.8503)
    (request,) = geocoder.received
    assert parse_qs(urlsplit(request.path).query)["q"] == ["Grote Markt 1"]
    assert "cookie" not in request.headers
    assert request.headers["user-agent"] == "Milepost"


def test_photon_answers_too(geocoder: Receiver, settings: Any) -> None:
    settings.GEOCODER = "photon"
    geocoder.otherwise = status(200, json.dumps(PHOTON).encode())
    found = geocoded("Grote Markt", "fr")
    assert found is not None
    assert (found.latitude, found.longitude) == (50.8503, 4.3517)


def test_the_page_says_who_is_asked_and_asks_last(
    desk: Client, acme: Employer, geocoder: Receiver
) -> None:
    Site.objects.create(employer=acme, name="Bakery", latitude=50.9, longitude=4.4)
    for place in ("Bakery", "Gent", "50.85, 4.35"):
        assert desk.get(WHERE, {**ASKED, "place": place}).status_code == 200
    assert geocoder.received == []
    text = desk.get(WHERE, {**ASKED, "place": "Grote Markt 1"}).content.decode()
    assert "Within 500 m of Grote Markt, Brussel" in text
    assert f"looked up at 127.0.0.1:{geocoder.port}: what is typed here is sent there" in text


@pytest.mark.parametrize(
    "answer",
    [status(500), status(429), status(200, b"<html>"),
     status(200, b'[{"lat": "x", "lon": "4", "display_name": "a"}]')],
)  # fmt: skip
def test_a_geocoder_that_fails_is_said(desk: Client, geocoder: Receiver, answer: Any) -> None:
    geocoder.otherwise = answer
    with pytest.raises(GeocoderAway):
        geocoded("Grote Markt 1", "nl")
    page = desk.get(WHERE, {**ASKED, "place": "Grote Markt 1"})
    assert page.status_code == 400
    assert "The address service does not answer" in page.content.decode()


def test_an_address_that_nobody_knows_is_said(desk: Client, geocoder: Receiver) -> None:
    geocoder.otherwise = status(200, b"[]")
    page = desk.get(WHERE, {**ASKED, "place": "Grote Markt 1"})
    assert "No site, town or coordinates are known by this" in page.content.decode()


def test_a_geocoder_inside_our_network_is_not_reached(geocoder: Receiver, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    with pytest.raises(GeocoderAway):
        geocoded("Grote Markt 1", "nl")
    assert geocoder.received == []
