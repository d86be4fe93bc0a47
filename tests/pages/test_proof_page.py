"""The proof page of a stop and the public page, without a browser and with one."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Page

from accounts.freezing import freeze_driver
from accounts.models import Driver, Tries, User
from missions.models import ProofOfDelivery, Stop
from missions.pages import verify
from missions.proofs import code_hash
from tests.pages.conftest import OpenWindow
from tests.tracking.delivered import CODE, put_photo, put_signature, text_of
from tests.tracking.test_proofs import files, mission, no_messages, stop
from tracking.proofs import ask_for_proof, issue_proof

__all__ = ["files", "mission", "no_messages", "stop"]

PASSWORD = "a long enough one"


def client_of(user: User, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def page_url(stop: Stop) -> str:
    return f"/missions/{stop.mission.uuid}/stops/{stop.uuid}/proof"


def read(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def issued(stop: Stop, locale: str = "en") -> tuple[ProofOfDelivery, str]:
    """A proof that is issued, and its code."""
    proof = ask_for_proof(stop, locale).proof
    assert issue_proof(proof.pk)
    proof.refresh_from_db()
    code = CODE.search(text_of(proof))
    assert code is not None
    return proof, code[0]


# --- For the dispatcher -----------------------------------------------------------------------


def test_it_shows_what_the_pdf_says_and_the_pictures(stop: Stop, dee: User) -> None:
    page = read(client_of(dee), page_url(stop))
    for said in ("Café Łódź", "PO 77", "38 m ± 12 m", "Żaneta Kowalska", "Europe/London", "09:10"):
        assert said in page, said
    assert 'class="site-sketch"' in page
    assert '<svg class="pad"' in page
    assert "Ada Peeters" in page  # who drives: on the screen, by the row of now


def test_a_thumbnail_is_shown_by_a_link_that_opens(stop: Stop, dee: User) -> None:
    photo = stop.mission.attachments.get()
    assert "/files/" not in read(client_of(dee), page_url(stop))
    photo.thumbnail = photo.file
    photo.save()
    page = read(client_of(dee), page_url(stop))
    source = page.split('<img src="')[1].split('"')[0]
    assert Client().head(source)["Content-Type"] == "image/jpeg"


def test_missing_evidence_stands_out(stop: Stop, dee: User) -> None:
    stop.mission.attachments.all().delete()
    stop.mission.signatures.all().delete()
    Stop.objects.filter(pk=stop.pk).update(requires_photo=True, requires_signature=True)
    page = read(client_of(dee), page_url(stop))
    assert "A photo is expected and not there yet." in page
    assert "A signature is expected and not there yet." in page
    assert "No signature was asked for yet." in page


def test_the_button_asks_and_the_list_offers_the_pdf(
    stop: Stop, dee: User, no_messages: list[int], ada: Driver
) -> None:
    client = client_of(dee)
    answer = client.post(page_url(stop), {"locale": "nl"})
    assert (answer.status_code, answer["Location"]) == (302, page_url(stop))
    assert "is being made" in read(client, page_url(stop))
    (waiting,) = no_messages
    assert issue_proof(waiting)
    page = read(client, page_url(stop))
    assert "No. 1 (PDF)" in page
    assert "up to date" in page
    proof = ProofOfDelivery.objects.get()
    opened = client.get(f"{page_url(stop)}/pdf/{proof.uuid}")
    assert opened["Location"].startswith("/files/")
    assert Client().head(opened["Location"])["Content-Type"] == "application/pdf"
    put_photo(stop, ada)
    assert "more is known since" in read(client, page_url(stop))


def test_a_photo_opens_in_full(stop: Stop, dee: User) -> None:
    photo = stop.mission.attachments.get()
    opened = client_of(dee).get(f"{page_url(stop)}/photo/{photo.uuid}")
    assert Client().head(opened["Location"])["Content-Type"] == "image/jpeg"
    assert client_of(dee).get(f"{page_url(stop)}/other/{photo.uuid}").status_code == 404


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nl", ["Afleverbewijs", "Getekend", "Bewijs uitgeven", "20 nov 2026"]),
        ("fr", ["Preuve de livraison", "Signé", "Émettre une preuve", "20 nov 2026"]),
    ],
)
def test_it_speaks_the_readers_language(
    stop: Stop, dee: User, language: str, words: list[str]
) -> None:
    page = read(client_of(dee, language), page_url(stop)).lower()
    for word in words:
        assert word.lower() in page, word


def test_while_a_driver_is_frozen_nothing_of_theirs_is_shown(
    stop: Stop, dee: User, ada: Driver
) -> None:
    client = client_of(dee)
    assert "Kowalska" in read(client, page_url(stop))
    freeze_driver(ada)
    page = read(client, page_url(stop))
    for hidden in ("Kowalska", "38 m", "Ada", "Issue a proof"):
        assert hidden not in page
    assert "not available now" in page
    client.post(page_url(stop), {"locale": "en"})
    assert not ProofOfDelivery.objects.exists()


@pytest.mark.parametrize(("user", "status"), [("pat", 403), ("cy", 404)])
def test_nobody_else_sees_it(
    stop: Stop, user: str, status: int, request: pytest.FixtureRequest
) -> None:
    proof, _ = issued(stop)
    client = client_of(request.getfixturevalue(user))
    photo = stop.mission.attachments.get()
    for url in (
        page_url(stop),
        f"{page_url(stop)}/pdf/{proof.uuid}",
        f"{page_url(stop)}/photo/{photo.uuid}",
    ):
        assert client.get(url).status_code == status
    assert client.post(page_url(stop), {"locale": "nl"}).status_code == status
    assert ProofOfDelivery.objects.count() == 1


def test_who_is_not_signed_in_is_sent_to_sign_in(stop: Stop) -> None:
    assert Client().get(page_url(stop))["Location"].startswith("/accounts/login/")


def test_thirty_photos_cost_as_many_queries_as_one(stop: Stop, dee: User, ada: Driver) -> None:
    client = client_of(dee)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read(client, page_url(stop))
        return len(captured)

    one = queries()
    for _ in range(29):
        put_photo(stop, ada)
        put_signature(stop, ada)
    assert queries() == one


# --- For the public ---------------------------------------------------------------------------


def test_the_public_learns_the_date_and_the_hash_and_nothing_else(stop: Stop) -> None:
    proof, code = issued(stop)
    page = read(Client(), f"/verify/{code}")
    assert bytes(proof.content_sha256 or b"").hex() in page
    assert "no newer one has taken its place" in page
    assert proof.issued_at is not None
    assert f"{proof.issued_at:%H:%M} UTC" in page
    for hidden in ("Acme", "Café", "PO 77", "Kowalska", "Peeters", str(proof.uuid), "No. 1"):
        assert hidden not in page


@pytest.mark.parametrize("misread", ["as it is", "lower", "spaces", "letters"])
def test_a_code_may_be_typed_as_people_do(stop: Stop, misread: str) -> None:
    _, code = issued(stop)
    typed = {
        "as it is": code,
        "lower": code.lower(),
        "spaces": code.replace("-", " "),
        "letters": code.replace("0", "O").replace("1", "l"),
    }[misread]
    answer = Client(enforce_csrf_checks=True).post("/verify", {"code": f" {typed} "})
    assert "was issued" in answer.content.decode()
    assert not answer.cookies


def test_a_superseded_proof_says_so(stop: Stop, ada: Driver) -> None:
    old, code = issued(stop)
    put_photo(stop, ada)
    issued(stop)
    page = read(Client(), f"/verify/{code}")
    assert "Superseded" in page
    assert bytes(old.content_sha256 or b"").hex() in page


def test_an_unknown_code_and_an_unissued_one_are_the_same(stop: Stop) -> None:
    unknown = read(Client(), "/verify/0000-0000-0000-0000")
    proof = ask_for_proof(stop, "en").proof
    ProofOfDelivery.objects.filter(pk=proof.pk).update(code_hash=code_hash("1111"))
    assert read(Client(), "/verify/1111") == unknown
    assert "Unknown" in unknown
    assert read(Client(), "/verify/" + "9" * 3000) == unknown


def test_it_is_kept_nowhere_and_found_by_no_search_engine(db: None) -> None:
    for answer in (Client().get("/verify"), Client().get("/verify/0000")):
        assert answer["Cache-Control"] == "no-store, private"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]


def test_an_address_has_thirty_tries_an_hour(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MAX_TRIES", 3)
    guesser = Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(3):
        assert guesser.get(f"/verify/{uuid4().hex[:16]}").status_code == 200
    refused = guesser.post("/verify", {"code": "0000"})
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3601
    assert Client(REMOTE_ADDR="192.0.2.8").get("/verify/0000").status_code == 200
    assert guesser.get("/verify").status_code == 200  # the form alone is no try
    assert Tries.objects.count() == 2


def test_a_known_and_an_unknown_code_cost_the_same_queries(stop: Stop) -> None:
    _, code = issued(stop)

    def queries(asked: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            read(Client(), f"/verify/{asked}")
        return len(captured)

    assert queries(code) == queries("0000-0000-0000-0000") == 2


# --- In a browser -----------------------------------------------------------------------------


def keep_picture(page: Page, name: str) -> None:
    """For people to look at; the folder is not committed."""
    folder = Path(settings.VAR_DIR) / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_a_dispatcher_issues_a_proof_by_keyboard(
    transactional_db: None, stop: Stop, dee: User, open_window: OpenWindow, width: int
) -> None:
    Stop.objects.filter(pk=stop.pk).update(requires_photo=True)
    dee.set_password(PASSWORD)
    dee.save()

    def ask(page: Page) -> bool:
        page.goto(page_url(stop))
        page.get_by_label("E-mail address").fill("dee@acme.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Proof of delivery").wait_for()
        page.get_by_label("Language").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("is being made").wait_for()
        return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))

    def look(page: Page) -> str:
        page.reload()
        page.get_by_role("link", name="No. 1 (PDF)").wait_for()
        keep_picture(page, f"proof-{width}")
        return page.locator(".proof").inner_text()

    window = open_window(width=width)
    assert not window.do(ask)
    assert issue_proof(ProofOfDelivery.objects.get().pk)
    assert "Żaneta Kowalska" in window.do(look)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_anybody_looks_a_code_up(
    transactional_db: None, stop: Stop, open_window: OpenWindow, width: int
) -> None:
    proof, code = issued(stop)

    def steps(page: Page) -> str:
        page.goto("/verify")
        page.get_by_label("Verification code").fill(code.lower())
        page.keyboard.press("Enter")
        page.locator("#answer").wait_for()
        keep_picture(page, f"verify-{width}")
        assert code not in page.url
        return page.locator("#answer").inner_text()

    assert bytes(proof.content_sha256 or b"").hex() in open_window(width=width).do(steps)
