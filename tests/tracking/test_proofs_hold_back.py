"""What a proof of delivery must not say, and that an erasure leaves it as it was."""

from hashlib import sha256
from uuid import uuid4

import pypdfium2
from rest_framework.test import APIClient

from accounts.models import Driver
from missions.models import (
    Attachment,
    Mission,
    Signature,
    StageEvent,
    Stop,
)
from missions.proofs import code_hash, verified
from tests.cast import ClientFor
from tests.tracking.delivered import (
    CODE,
    everything_in,
    pdf_of,
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

__all__ = ["client", "files", "mission", "no_messages", "stop"]


def test_neither_the_drivers_name_nor_a_position_is_in_it(
    client: APIClient, stop: Stop, ada: Driver
) -> None:
    Mission.objects.filter(pk=stop.mission_id).update(reference="PO 77 for Ada  Peeters")
    Stop.objects.filter(pk=stop.pk).update(reference="tour of ADA PEETERS")
    stop.refresh_from_db()
    proof = issued(client, stop)
    content = pdf_of(proof)
    held = everything_in(content).decode("latin-1") + text_of(proof) + str(proof.printed)
    with pypdfium2.PdfDocument(content) as document:
        held += str(document.get_metadata_dict())
    held = held.casefold()
    assert "kowalska" in held
    assert "came late" in held
    assert "po 77 for the driver" in held
    assert "tour of the driver" in held
    for hidden in ("ada peeters", "peeters", "51.054", "3.717", str(ada.uuid), "rang twice"):
        assert hidden not in held, hidden
        assert hidden.encode("utf-16-be").decode("latin-1") not in held, hidden


def test_the_code_is_on_the_paper_alone(client: APIClient, stop: Stop) -> None:
    proof = issued(client, stop)
    found = CODE.search(text_of(proof))
    assert found is not None
    assert bytes(proof.code_hash or b"") == code_hash(found[0])
    assert verified(found[0].lower().replace("-", " ").replace("0", "o")) is not None
    shown = client.get(f"{proofs_url(stop)}/{proof.uuid}").content.decode()
    assert found[0] not in shown
    assert found[0].replace("-", "") not in shown


def test_after_its_driver_is_erased_the_proof_is_what_it_was(
    client: APIClient, client_for: ClientFor, stop: Stop, ada: Driver
) -> None:
    proof = issued(client, stop)
    content, before = pdf_of(proof), client.get(proofs_url(stop)).json()
    blanked = {"driver": None, "erased_driver": uuid4()}
    nowhere = {"latitude": None, "longitude": None}
    stop.mission.assignments.update(**blanked)
    for rows in (Attachment.objects, Signature.objects):
        rows.update(**blanked, **nowhere)
    StageEvent.objects.update(**blanked, **nowhere, fix_id=None, note="")
    assert pdf_of(proof) == content
    assert sha256(content).digest() == bytes(proof.content_sha256 or b"")
    assert client.get(proofs_url(stop)).json() == before
    found = CODE.search(text_of(proof))
    assert found is not None
    known = verified(found[0])
    assert known is not None
    assert (known.sha256, known.is_superseded) == (sha256(content).hexdigest(), False)
