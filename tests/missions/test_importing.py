"""A table of missions: checked, confirmed, imported again."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Driver, Employer, Truck, User
from missions.changing import change_mission
from missions.import_table import MOST_BYTES
from missions.importing import KEPT_FOR, forget_old_imports
from missions.lifecycle import end_mission
from missions.models import Mission, MissionImport, Site
from missions.stages import Stage
from tests.cast import ClientFor
from tests.missions.builders import make_mission, put_stage, start
from tests.missions.opening_cases import Sent, at
from tests.missions.tables import IMPORTS, confirm, csv_file, imported, problems_of, send

HEADER = (
    "external_id,reference,planned_start_at,driver_number,truck_plate,stop_external_id,"
    "site_external_id,purpose,window_start_at,window_end_at,contact_name,requires_signature,"
    "goods_description,goods_quantity,goods_unit"
)
ROUND = csv_file(
    HEADER,
    "M-1,flour,2026-11-24T07:00:00Z,D-1,1-TRK-012,S-1,DEPOT,load,,,,,Flour,12.5,pallets",
    "M-1,,,,,S-2,GHENT,unload,2026-11-24 09:00,2026-11-24 10:00,Els,yes,Flour,10,pallets",
    "M-1,,,,,S-2,,,,,,,Yeast,2.5,boxes",
    "M-2,,,,,S-1,GHENT,,,,,,,,",
)


@pytest.fixture
def client(client_for: ClientFor) -> APIClient:
    return client_for("dispatcher")


@pytest.fixture(autouse=True)
def fleet(acme: Employer, ada: Driver, ben: Driver, truck12: Truck, truck34: Truck) -> None:
    for name in ("DEPOT", "GHENT"):
        Site.objects.create(employer=acme, external_id=name, name=name.title())


def test_a_table_is_checked_then_confirmed(client: APIClient, acme: Employer, ada: Driver) -> None:
    checked = send(client, ROUND)
    assert checked.status_code == 201
    body = checked.json()
    assert body["problems"] == []
    assert body["can_be_confirmed"]
    assert (body["rows"], body["missions"]) == (4, {"new": 2, "changed": 0, "unchanged": 0})
    assert Mission.objects.count() == 0

    done = confirm(client, body["id"])
    assert done.status_code == 200
    assert done.json()["created"] == 2
    mission = Mission.objects.get(external_id="M-1")
    assert (mission.status, mission.reference) == ("assigned", "flour")
    assert mission.assignments.get().driver == ada
    load, unload = mission.stops.order_by("seq")
    assert (load.purpose, unload.purpose) == ("load", "unload")
    assert unload.window_start_at == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert unload.requires_signature
    assert [line.description for line in unload.goods.all()] == ["Flour", "Yeast"]
    assert str(load.goods.get().quantity) == "12.500"


def test_the_same_file_again_changes_nothing(client: APIClient) -> None:
    imported(client, ROUND)
    before = list(Mission.objects.order_by("pk").values_list("version", "updated_at"))
    checked = send(client, ROUND).json()
    assert checked["missions"] == {"new": 0, "changed": 0, "unchanged": 2}
    assert confirm(client, checked["id"]).json()["unchanged"] == 2
    assert list(Mission.objects.order_by("pk").values_list("version", "updated_at")) == before


def test_the_same_external_id_updates_what_the_file_says(client: APIClient, ben: Driver) -> None:
    imported(client, ROUND)
    stops = Mission.objects.get(external_id="M-1").stops
    load, unload = (stop.uuid for stop in stops.order_by("seq"))
    outcome = imported(
        client,
        csv_file(
            "external_id,driver_number,stop_external_id,site_external_id,contact_name,"
            "goods_description,goods_quantity",
            "M-1,D-2,S-2,,Jo,Salt,1",
            "M-1,,S-3,DEPOT,,,",
            "M-1,,S-1,,,,",
        ),
    )
    assert (outcome["created"], outcome["changed"]) == (0, 1)
    mission = Mission.objects.get(external_id="M-1")
    assert (mission.reference, mission.assignments.get().driver) == ("flour", ben)
    first, second, third = mission.stops.order_by("seq")
    assert (first.uuid, third.uuid) == (unload, load)
    assert (first.contact_name, first.requires_signature) == ("Jo", True)
    assert [line.description for line in first.goods.all()] == ["Salt"]
    assert (second.external_id, third.goods.count()) == ("S-3", 1)


def test_stops_without_an_id_are_matched_by_their_place(client: APIClient) -> None:
    head = "external_id,seq,site_external_id,remark"
    imported(client, csv_file(head, "M-9,10,DEPOT,", "M-9,20,GHENT,"))
    mission = Mission.objects.get(external_id="M-9")
    before = list(mission.stops.order_by("seq").values_list("uuid", flat=True))
    again = csv_file(head, "M-9,20,GHENT,bell", "M-9,10,DEPOT,")
    assert send(client, again).json()["missions"]["changed"] == 1
    imported(client, again)
    assert list(mission.stops.order_by("seq").values_list("uuid", flat=True)) == before
    assert [stop.remark for stop in mission.stops.order_by("seq")] == ["", "bell"]


def test_a_stop_that_is_not_named_goes_unless_somebody_was_there(
    client: APIClient, ada: Driver
) -> None:
    head = "external_id,driver_number,stop_external_id"
    imported(client, csv_file(head, "M-1,D-1,A", "M-1,,B", "M-1,,C"))
    mission = Mission.objects.get(external_id="M-1")
    put_stage(mission, ada, Sent(Stage.ARRIVAL, at("08:00"), stop=2))
    checked = send(client, csv_file(head, "M-1,,C", "M-1,,D"))
    assert problems_of(checked) == [(2, None, "stop_kept")]
    assert checked.json()["can_be_confirmed"]
    assert confirm(client, checked.json()["id"]).status_code == 200
    assert [stop.external_id for stop in mission.stops.order_by("seq")] == ["B", "C", "D"]
    assert mission.stage_events.count() == 1


def test_every_problem_of_a_file_is_listed(client: APIClient, acme: Employer) -> None:
    head = (
        "external_id,driver_number,truck_plate,planned_start_at,planned_end_at,site_external_id,"
        "site_name,site_address,purpose,window_start_at,window_end_at,goods_description,"
        "goods_quantity,contact_phone"
    )
    checked = send(
        client,
        csv_file(
            head,
            "M-1,D-9,1-XXX-999,2026-11-25 08:00,2026-11-24 08:00,,,,,,,,,",
            "M-2,,,,,NOWHERE,,,fly,,,,,",
            "M-3,,,,,DEPOT,,,,2026-11-24 10:00,2026-11-24 09:00,Flour,0,",
            "M-4,,,2026-10-25 02:30,,,Nameless,,,,,,,",
            f"M-5,,,,,,,,,,,Flour,,{'9' * 41}",
            f"{'M' * 101},,,,,,,,,,,,,",
        ),
    )
    assert problems_of(checked) == [
        (2, "planned_end_at", "reversed"),
        (2, "driver_number", "unknown_driver"),
        (2, "truck_plate", "unknown_truck"),
        (3, "site_external_id", "unknown_site"),
        (3, "purpose", "invalid_choice"),
        (4, "window_end_at", "invalid"),
        (4, "goods_quantity", "min_value"),
        (5, "planned_start_at", "local_time_twice"),
        (5, "site_name", "unknown_site"),
        (6, "contact_phone", "max_length"),
        (6, "goods_quantity", "required"),
        (7, "external_id", "max_length"),
    ]
    assert not checked.json()["can_be_confirmed"]
    refused = confirm(client, checked.json()["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "import_refused")
    assert len(refused.json()["problems"]) == 12
    assert Mission.objects.count() == 0


def test_a_site_that_nobody_knows_is_made_once(client: APIClient, acme: Employer) -> None:
    head = "external_id,site_external_id,site_name,site_address,latitude,longitude"
    table = csv_file(
        head,
        "M-1,LILLE,Lille,,50.63,3.06",
        "M-2,LILLE,Lille,,50.63,3.06",
        "M-2,,Bruges,Markt 1,,",
    )
    checked = send(client, table).json()
    assert (checked["new_sites"], checked["problems"]) == (2, [])
    assert Site.objects.count() == 2
    assert confirm(client, checked["id"]).json()["sites_created"] == 2
    assert Site.objects.get(external_id="LILLE").latitude == 50.63
    assert Site.objects.get(name="Bruges").employer == acme
    assert send(client, table).json()["missions"] == {"new": 0, "changed": 0, "unchanged": 2}


def test_a_site_stays_as_it_is(client: APIClient) -> None:
    checked = send(client, csv_file("external_id,site_external_id,site_name", "M-1,GHENT,Gent"))
    assert problems_of(checked) == [(2, "site_name", "site_differs")]
    assert confirm(client, checked.json()["id"]).status_code == 200
    assert Site.objects.get(external_id="GHENT").name == "Ghent"


def test_a_time_is_of_the_clocks_at_the_site(client: APIClient, acme: Employer) -> None:
    Site.objects.create(employer=acme, external_id="PORTO", name="Porto", timezone="Europe/Lisbon")
    head = "external_id,site_external_id,planned_start_at,window_start_at"
    imported(client, csv_file(head, "M-1,PORTO,2026-11-24 08:00,2026-11-24 08:00"))
    mission = Mission.objects.get()
    assert mission.planned_start_at == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert mission.stops.get().window_start_at == datetime(2026, 11, 24, 8, tzinfo=UTC)


def test_half_a_window_is_checked_against_the_other_half(client: APIClient) -> None:
    imported(client, ROUND)
    head = "external_id,stop_external_id,window_end_at"
    checked = send(client, csv_file(head, "M-1,S-1,", "M-1,S-2,2026-11-24 08:00"))
    assert problems_of(checked) == [(3, "window_end_at", "invalid")]


def test_a_mission_that_is_over_takes_no_change(client: APIClient, ada: Driver) -> None:
    imported(client, ROUND)
    mission = Mission.objects.get(external_id="M-1")
    start(mission, ada, at("08:00"))
    end_mission(mission, at=at("09:00"))
    assert send(client, ROUND).json()["problems"] == []
    checked = send(client, csv_file("external_id,reference", "M-1,salt"))
    assert problems_of(checked) == [(2, "external_id", "mission_over")]


def test_a_mission_that_has_started_is_handed_over_elsewhere(
    client: APIClient, ada: Driver
) -> None:
    imported(client, ROUND)
    start(Mission.objects.get(external_id="M-1"), ada, at("08:00"))
    head = "external_id,reference,driver_number,truck_plate"
    checked = send(client, csv_file(head, "M-1,salt,D-2,1-trk-034"))
    assert sorted(problems_of(checked)) == [
        (2, "driver_number", "mission_started"),
        (2, "truck_plate", "mission_started"),
    ]
    imported(client, csv_file(head, "M-1,salt,D-1,1-TRK-012"))
    assert Mission.objects.get(external_id="M-1").reference == "salt"


def test_a_driver_who_is_frozen_is_nobody(client: APIClient, ada: Driver) -> None:
    table = csv_file("external_id,driver_number", "M-1,D-1")
    assert send(client, table).json()["problems"] == []
    Driver.objects.filter(pk=ada.pk).update(frozen_at=datetime.now(UTC))
    assert problems_of(send(client, table)) == [(2, "driver_number", "unknown_driver")]


def test_confirmed_again_the_same_is_answered(client: APIClient) -> None:
    checked = send(client, ROUND).json()
    first, second = confirm(client, checked["id"]), confirm(client, checked["id"])
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert Mission.objects.count() == 2


def test_what_changed_after_the_check_is_not_overwritten(client: APIClient) -> None:
    imported(client, ROUND)
    table = csv_file("external_id,reference", "M-2,salt", "M-1,salt")
    checked = send(client, table).json()
    change_mission(Mission.objects.get(external_id="M-1"), {"reference": "sugar"})
    refused = confirm(client, checked["id"])
    assert refused.status_code == 409
    assert [(one["row"], one["code"]) for one in refused.json()["problems"]] == [
        (3, "changed_since_check")
    ]
    assert Mission.objects.get(external_id="M-2").reference == ""
    assert Mission.objects.get(external_id="M-1").reference == "sugar"


def test_what_can_no_longer_be_is_told_again(client: APIClient, ada: Driver) -> None:
    checked = send(client, ROUND).json()
    Driver.objects.filter(pk=ada.pk).update(frozen_at=datetime.now(UTC))
    refused = confirm(client, checked["id"])
    assert refused.status_code == 409
    assert refused.json()["problems"][0]["code"] == "unknown_driver"
    assert Mission.objects.count() == 0


def test_a_check_is_forgotten_after_a_day(client: APIClient) -> None:
    checked = send(client, ROUND).json()
    MissionImport.objects.update(checked_at=datetime.now(UTC) - KEPT_FOR)
    assert confirm(client, checked["id"]).status_code == 404
    assert forget_old_imports(datetime.now(UTC)) == 1
    assert MissionImport.objects.count() == 0


def test_a_check_is_read_again_before_and_after_it_is_confirmed(client: APIClient) -> None:
    checked = send(client, ROUND).json()
    path = f"{IMPORTS}/{checked['id']}"
    before = client.get(path).json()
    assert {name: before[name] for name in ("rows", "missions", "problems", "new_sites")} == {
        name: checked[name] for name in ("rows", "missions", "problems", "new_sites")
    }
    assert (before["can_be_confirmed"], before["confirmed_at"], before["outcome"]) == (
        True,
        None,
        None,
    )
    done = confirm(client, checked["id"]).json()
    after = client.get(path).json()
    assert after["missions"] == before["missions"]
    assert (after["can_be_confirmed"], after["confirmed_at"]) == (False, done["confirmed_at"])
    assert after["outcome"] == {
        name: done[name] for name in ("created", "changed", "unchanged", "sites_created")
    }
    MissionImport.objects.update(checked_at=datetime.now(UTC) - KEPT_FOR)
    assert client.get(path).status_code == 404


def test_a_file_that_is_no_table_is_refused(client: APIClient) -> None:
    refused = send(client, b"\x89PNG\r\n\0")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "not_a_table")
    assert send(client, b"x" * (MOST_BYTES + 1)).status_code == 413
    assert client.post(IMPORTS, {}, format="multipart").status_code == 400
    assert client.post(IMPORTS, {"file": "x"}, format="json").status_code == 415


def test_who_did_it_is_in_the_audit_trail(client: APIClient, dee: User) -> None:
    imported(client, ROUND)
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor")
    assert [action for action, _ in entries] == [
        "mission_import.checked",
        "mission.created",
        "mission.created",
        "mission_import.confirmed",
    ]
    assert {actor for _, actor in entries} == {dee.uuid}


@pytest.mark.parametrize(
    ("role", "status"),
    [("nobody", 401), ("dpo", 403), ("driver", 403), ("other_driver", 403), ("manager", 201)],
)
def test_who_may_import(client_for: ClientFor, role: str, status: int) -> None:
    assert send(client_for(role), ROUND).status_code == status


@pytest.mark.parametrize(("role", "status"), [("nobody", 401), ("dpo", 403), ("stranger", 404)])
def test_who_may_not_confirm(
    client: APIClient, client_for: ClientFor, role: str, status: int
) -> None:
    checked = send(client, ROUND).json()
    assert confirm(client_for(role), checked["id"]).status_code == status
    assert Mission.objects.count() == 0
    assert confirm(client, checked["id"]).status_code == 200


def test_another_employers_rows_are_nobodys(
    client: APIClient, client_for: ClientFor, cy_driver: Driver, cy_truck: Truck
) -> None:
    theirs = Site.objects.create(employer=cy_driver.employer, external_id="THEIRS", name="theirs")
    make_mission(cy_driver.employer, external_id="M-1", reference="theirs")
    Driver.objects.filter(pk=cy_driver.pk).update(number="D-77")
    mission_id = Mission.objects.get().uuid
    head = "external_id,mission_id,driver_number,site_external_id,site_id"
    table = csv_file(head, "M-1,,D-77,THEIRS,", f",{mission_id},,,", f"M-3,,,,{theirs.uuid}")
    assert sorted(problems_of(send(client, table))) == [
        (2, "driver_number", "unknown_driver"),
        (2, "site_external_id", "unknown_site"),
        (3, "mission_id", "unknown_mission"),
        (4, "site_id", "unknown_site"),
    ]
    imported(client, csv_file("external_id,reference", "M-1,ours"))
    assert Mission.objects.get(uuid=mission_id).reference == "theirs"


def test_a_check_costs_the_same_for_one_row_and_for_thirty(client: APIClient) -> None:
    head = "external_id,driver_number,truck_plate,site_external_id,goods_description,goods_quantity"

    def queries(rows: int) -> int:
        lines = [f"M-{number},D-1,1-TRK-012,GHENT,Flour,1" for number in range(rows)]
        with CaptureQueriesContext(connection) as captured:
            assert send(client, csv_file(head, *lines)).json()["problems"] == []
        return len(captured)

    assert queries(30) == queries(1)


def test_the_command_imports_too(acme: Employer, tmp_path: Path) -> None:
    file = tmp_path / "round.csv"
    file.write_bytes(ROUND)
    told = io.StringIO()
    employer = f"--employer={acme.uuid}"
    call_command("import_missions", str(file), employer, "--dry-run", "--json", stdout=told)
    assert json.loads(told.getvalue())["missions"]["new"] == 2
    assert Mission.objects.count() == 0
    told = io.StringIO()
    call_command("import_missions", str(file), employer, "--json", stdout=told)
    assert json.loads(told.getvalue())["outcome"]["created"] == 2
    assert Mission.objects.count() == 2


def test_the_command_says_what_is_wrong(acme: Employer, tmp_path: Path) -> None:
    file = tmp_path / "round.csv"
    file.write_bytes(csv_file("external_id,driver_number", "M-1,D-9"))
    told = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_missions", str(file), f"--employer={acme.uuid}", stdout=told)
    assert "error: row 2: driver_number: No driver has this number." in told.getvalue()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_missions", str(tmp_path / "none"), f"--employer={acme.uuid}")
