"""A proof is issued once for what is known, replaced when that changes, and names no driver."""

from hashlib import sha256
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.freezing import freeze_driver, unfreeze_driver
from accounts.models import AuditEntry, Driver, Employer
from missions.models import (
    Attachment,
    Mission,
    ProofOfDelivery,
    SignatureOutcome,
    Site,
    StageEvent,
    Stop,
)
from missions.stages import Stage
from missions.stored_files import StorageAway
from tests.cast import ClientFor
from tests.missions.builders import make_mission
from tests.tracking.delivered import (
    pdf_of,
    put_photo,
    put_signature,
    put_stage,
    text_of,
)
from tests.tracking.proof_asked import (
    client,
    files,
    issued,
    mission,
    no_messages,
    proofs_url,
    stop,
)
from tracking import tasks
from tracking.proofs import issue_proof

__all__ = ["client", "files", "mission", "no_messages", "stop"]


def test_it_is_asked_for_made_and_read(client: APIClient, stop: Stop, no_messages: Any) -> None:
    answer = client.post(proofs_url(stop))
    assert (answer.status_code, answer.json()["state"]) == (202, "requested")
    (waiting,) = no_messages
    tasks.issue_proof(waiting)
    shown = client.get(f"{proofs_url(stop)}/{answer.json()['id']}").json()
    assert (shown["state"], shown["number"], shown["locale"]) == ("issued", 1, "en")
    proof = ProofOfDelivery.objects.get()
    assert shown["content_sha256"] == sha256(pdf_of(proof)).hexdigest()
    text = text_of(proof)
    for said in (
        "Café Łódź",
        "Kaai 12, Gent, BE",
        "PO 77",
        "Times in Europe/London",
        "20 Nov 2026 09:10",
        "10 min late",
        "38 m ± 12 m",
        "Żaneta Kowalska",
        "pallet 4 3",
        "the driver came late, one pallet wet",
    ):
        assert said in text, said
    assert AuditEntry.objects.get(action="proof.issued").actor_kind == "system"


def test_asked_again_while_nothing_changed_it_is_the_same(client: APIClient, stop: Stop) -> None:
    proof = issued(client, stop)
    again = client.post(proofs_url(stop))
    assert (again.status_code, again.json()["id"]) == (200, str(proof.uuid))
    assert ProofOfDelivery.objects.count() == 1


def test_asked_twice_before_it_is_made_it_is_one(
    client: APIClient, stop: Stop, no_messages: Any
) -> None:
    first, second = (client.post(proofs_url(stop)) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert len(no_messages) == 1


@pytest.mark.parametrize("change", ["photo", "stage", "goods"])
def test_what_changed_since_gets_a_number_that_names_the_old(
    client: APIClient, stop: Stop, ada: Driver, change: str
) -> None:
    old = issued(client, stop)
    before = pdf_of(old)
    if change == "photo":
        put_photo(stop, ada)
    elif change == "stage":
        put_stage(stop, ada, Stage.UNLOADING_ENDED, 45)
    else:
        put_signature(stop, ada, outcome=SignatureOutcome.REFUSED)
    new = issued(client, stop)
    old.refresh_from_db()
    assert (old.number, new.number, old.superseded_by) == (1, 2, new)
    assert "Replaces no. 1" in text_of(new)
    assert pdf_of(old) == before
    shown = client.get(proofs_url(stop)).json()["results"]
    assert [row["replaces"] for row in shown] == [[], [1]]
    assert [row["superseded_by"] for row in shown] == [str(new.uuid), None]


def test_a_correction_takes_the_place_of_what_it_corrects(
    client: APIClient, stop: Stop, ada: Driver
) -> None:
    issued(client, stop)
    wrong = StageEvent.objects.get(stage=Stage.ARRIVAL)
    right = put_stage(stop, ada, Stage.ARRIVAL, 15)
    StageEvent.objects.filter(pk=right.pk).update(corrects=wrong)
    text = text_of(issued(client, stop))
    assert "20 Nov 2026 09:15" in text
    assert "20 Nov 2026 09:10" not in text


def test_another_language_stands_beside_the_first(client: APIClient, stop: Stop) -> None:
    english = issued(client, stop)
    dutch = issued(client, stop, locale="nl")
    english.refresh_from_db()
    assert (english.superseded_by, dutch.number) == (None, 2)
    assert "Replaces" not in text_of(dutch)
    assert "geen vrachtbrief" in text_of(dutch)


def test_a_change_replaces_the_proofs_in_all_languages(
    client: APIClient, stop: Stop, ada: Driver
) -> None:
    issued(client, stop)
    issued(client, stop, locale="nl")
    put_photo(stop, ada)
    assert "1, 2" in text_of(issued(client, stop, locale="fr"))
    assert ProofOfDelivery.objects.filter(superseded_by=None).count() == 1


def test_it_is_in_the_language_of_the_site(client: APIClient, stop: Stop) -> None:
    Site.objects.update(language="fr")
    assert client.post(proofs_url(stop)).json()["locale"] == "fr"


def test_an_unknown_language_is_refused(client: APIClient, stop: Stop) -> None:
    assert client.post(proofs_url(stop), {"locale": "de"}).status_code == 400


def test_a_message_twice_issues_once(client: APIClient, stop: Stop) -> None:
    proof = issued(client, stop)
    before = pdf_of(proof)
    assert not issue_proof(proof.pk)
    tasks.issue_proofs()
    proof.refresh_from_db()
    assert pdf_of(proof) == before


def test_the_sweep_issues_what_no_message_came_for(client: APIClient, stop: Stop) -> None:
    client.post(proofs_url(stop))
    tasks.issue_proofs()
    assert ProofOfDelivery.objects.get().issued_at is not None


def test_a_defect_is_said_and_the_next_request_begins_anew(
    client: APIClient, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise KeyError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr("missions.proofs.proof_pdf", broken)
        client.post(proofs_url(stop))
        tasks.issue_proofs()
    (failed,) = client.get(proofs_url(stop)).json()["results"]
    assert (failed["state"], failed["failure"]) == ("failed", "not_made")
    assert issued(client, stop).number == 2


@pytest.mark.parametrize("doing", ["save", "open"])
def test_a_store_that_is_away_leaves_it_waiting(
    client: APIClient, stop: Stop, monkeypatch: pytest.MonkeyPatch, doing: str
) -> None:
    def away(*_: object, **__: object) -> str:
        # A store over the network has errors of its own kind.
        raise RuntimeError("no connection")

    client.post(proofs_url(stop))
    with monkeypatch.context() as patched:
        patched.setattr(default_storage, doing, away)
        with pytest.raises(StorageAway):
            tasks.issue_proofs()
    assert client.get(proofs_url(stop)).json()["results"][0]["state"] == "requested"
    tasks.issue_proofs()
    proof = ProofOfDelivery.objects.get()
    assert (proof.number, proof.failure) == (1, "")
    assert "This photo could not be read." not in text_of(proof)


def test_one_that_the_database_refuses_holds_up_no_other(
    client: APIClient, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(proofs_url(stop), {"locale": "nl"})
    client.post(proofs_url(stop), {"locale": "fr"})
    first, second = ProofOfDelivery.objects.order_by("id")
    save = ProofOfDelivery.save

    def refused(proof: ProofOfDelivery, **options: Any) -> None:
        if proof.pk == first.pk:
            raise DataError("a value that no column takes")
        save(proof, **options)

    monkeypatch.setattr(ProofOfDelivery, "save", refused)
    tasks.issue_proofs()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.failure, first.issued_at) == ("not_made", None)
    assert second.issued_at is not None


def test_a_photo_whose_file_is_gone_does_not_stop_it(client: APIClient, stop: Stop) -> None:
    default_storage.delete(str(Attachment.objects.get().file.name))
    assert "This photo could not be read." in text_of(issued(client, stop))


def test_numbers_of_employers_are_apart(
    client: APIClient, client_for: ClientFor, stop: Stop, elsewhere: Employer, cy_driver: Driver
) -> None:
    issued(client, stop)
    theirs = make_mission(elsewhere, cy_driver, stops=1).stops.get()
    assert issued(client_for("stranger"), theirs).number == 1


def test_while_a_driver_is_frozen_none_is_made(client: APIClient, stop: Stop, ada: Driver) -> None:
    client.post(proofs_url(stop))
    freeze_driver(ada)
    answer = client.post(proofs_url(stop), {"locale": "nl"})
    assert (answer.status_code, answer.json()["code"]) == (409, "driver_not_available")
    tasks.issue_proofs()
    proof = ProofOfDelivery.objects.get()
    assert (proof.issued_at, proof.failure) == (None, "")
    unfreeze_driver(ada)
    tasks.issue_proofs()
    proof.refresh_from_db()
    assert "38 m" in text_of(proof)


# --- Who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("nobody", 401), ("dpo", 403), ("driver", 403), ("other_driver", 403), ("stranger", 404)],
)
def test_nobody_else_may(
    client: APIClient, client_for: ClientFor, stop: Stop, role: str, status: int
) -> None:
    proof = issued(client, stop)
    url = proofs_url(stop)
    other = client_for(role)
    answers = [
        other.get(url),
        other.post(url),
        other.get(f"{url}/{proof.uuid}"),
        other.post(f"{url}/{proof.uuid}/link"),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4
    assert ProofOfDelivery.objects.count() == 1


def test_the_proof_of_another_stop_is_404(client: APIClient, mission: Mission, stop: Stop) -> None:
    proof = issued(client, stop)
    other = mission.stops.get(seq=2)
    assert client.get(f"{proofs_url(other)}/{proof.uuid}").status_code == 404
    assert client.get(f"{proofs_url(stop)}/{proof.uuid}").status_code == 200


def test_a_link_opens_the_pdf(client: APIClient, client_for: ClientFor, stop: Stop) -> None:
    waiting = client.post(proofs_url(stop)).json()["id"]
    link = f"{proofs_url(stop)}/{waiting}/link"
    assert client.post(link).json()["code"] == "proof_not_issued"
    tasks.issue_proofs()
    answer = client.post(link)
    assert answer["Cache-Control"] == "no-store"
    opened = client_for("nobody").head(answer.json()["url"])
    assert opened["Content-Type"] == "application/pdf"


def test_thirty_cost_as_many_queries_as_one(client: APIClient, stop: Stop) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(proofs_url(stop)).status_code == 200
        return len(captured)

    def put() -> None:
        ProofOfDelivery.objects.create(
            employer_id=stop.employer_id, mission=stop.mission, stop=stop, locale="en"
        )

    put()
    one = queries()
    for _ in range(29):
        put()
    assert queries() == one
