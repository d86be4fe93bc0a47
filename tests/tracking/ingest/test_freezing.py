"""A freeze waits for a group in flight or wins over it; it never races."""

from datetime import datetime, timedelta
from time import sleep

import pytest

from accounts.freezing import freeze_driver, unfreeze_driver
from tests.cast import Phone
from tests.tracking.ingest.asgi_phone import AsgiPhone, fix, mark
from tests.tracking.ingest.conftest import hand_over
from tracking.models import Fix, UnstoredCount

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 200


def count(phone: Phone) -> int:
    return Fix.objects.filter(driver_id=phone.driver.pk).count()


def test_a_frozen_drivers_phone_stores_nothing_until_the_freeze_is_lifted(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    assert ingest.post(ada_phone.token, [fix(now)]).status == 200
    freeze_driver(ada_phone.driver)

    sent = [fix(now + timedelta(minutes=1)), mark(now, "duty_started")]
    answer = ingest.post(ada_phone.token, sent)

    assert (answer.status, answer.json["type"]) == (403, "driver_frozen")
    assert count(ada_phone) == 1
    frozen = UnstoredCount.objects.filter(device=ada_phone.device, reason="driver_frozen")
    assert [row.count for row in frozen] == [2]

    unfreeze_driver(ada_phone.driver)
    assert ingest.post(ada_phone.token, sent).statuses == ["stored", "stored"]


def test_late_fixes_of_a_frozen_former_holder_are_refused_alone(
    ingest: AsgiPhone, ada_phone: Phone, ben_phone: Phone, now: datetime
) -> None:
    hand_over(ada_phone, ben_phone.driver, now)
    freeze_driver(ada_phone.driver)
    answer = ingest.post(ada_phone.token, [fix(now - timedelta(minutes=1)), fix(now)])
    assert answer.statuses == ["refused", "stored"]
    assert answer.reasons[0] == "driver_frozen"
    assert count(ada_phone) == 0


def test_an_upload_raced_against_a_freeze_stores_nothing_after_it(
    ingest: AsgiPhone, ada_phone: Phone, now: datetime
) -> None:
    answers = {200: 0, 403: 0}
    for number in range(ROUNDS):
        batch = [fix(now + timedelta(seconds=number), 50 + n / 1000) for n in range(10)]
        before = count(ada_phone)
        upload = ingest.start_post(ada_phone.token, batch)
        sleep(0.0005 * (number % 8))  # the upload is anywhere between its start and its answer
        freeze_driver(ada_phone.driver)
        at_freeze = count(ada_phone)
        status = upload.result(30).status
        answers[status] += 1

        assert count(ada_phone) == at_freeze
        assert at_freeze - before == (10 if status == 200 else 0)
        unfreeze_driver(ada_phone.driver)
    # A race that only one side ever wins proves nothing.
    assert min(answers.values()) > 0, answers
