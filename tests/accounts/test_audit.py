"""The trail of changes."""

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from accounts.actors import Actor
from accounts.audit import record
from accounts.employers import create_employer
from accounts.models import AuditEntry, Employer, Truck
from accounts.trucks import create_truck


@pytest.mark.django_db(transaction=True)
def test_an_entry_goes_with_its_change_or_not_at_all(acme: Employer) -> None:
    actor = Actor("command", acme)
    with pytest.raises(TransactionManagementError):
        record(actor, "employer.changed", acme)

    def fail() -> None:
        with transaction.atomic():
            create_truck(actor, plate="1-ABC-001")
            assert AuditEntry.objects.filter(action="truck.created").exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not Truck.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_the_system_does_has_no_actor(acme: Employer) -> None:
    entry = record(None, "employer.changed", acme)
    assert (entry.actor_kind, entry.actor, entry.employer) == ("system", None, acme)


def test_a_command_is_named_as_such(db: None) -> None:
    employer = create_employer("Acme")
    entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.actor) == ("command", None)
    assert (entry.object_kind, entry.object_id) == ("employer", employer.uuid)
    assert "Acme" not in str(entry.detail)


def test_the_database_refuses_to_edit_an_entry(acme: Employer) -> None:
    entry = record(None, "employer.changed", acme)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(action="nothing.happened")
    entry.refresh_from_db()
    assert entry.action == "employer.changed"
