"""Users, roles and drivers over the API."""

import pytest

from accounts.models import AuditEntry, Driver, Employer, Membership, Role, User
from tests.cast import ClientFor, make_driver, make_user


def test_a_manager_makes_a_user(acme: Employer, client_for: ClientFor) -> None:
    client = client_for("manager")
    sent = {"email": "Eve@Acme.example", "name": "Eve", "role": "dispatcher"}
    made = client.post("/api/v1/users", {**sent, "password": "correct horse battery"})
    assert made.status_code == 201
    assert made.json()["email"] == "eve@acme.example"
    assert [row["role"] for row in made.json()["memberships"]] == ["dispatcher"]
    assert User.objects.get(email="eve@acme.example").check_password("correct horse battery")
    entry = AuditEntry.objects.get(action="user.created")
    assert (entry.employer, entry.detail) == (acme, {"role": "dispatcher"})


def test_a_user_may_choose_the_password_later(client_for: ClientFor) -> None:
    client = client_for("manager")
    client.post("/api/v1/users", {"email": "eve@acme.example", "role": "dpo"})
    assert not User.objects.get(email="eve@acme.example").has_usable_password()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "eve"}, "/email"),
        ({"role": "king"}, "/role"),
        ({"password": "short"}, "/password"),
    ],
)
def test_a_bad_user_is_refused(client_for: ClientFor, change: dict[str, str], pointer: str) -> None:
    sent = {"email": "eve@acme.example", "role": "dpo", **change}
    answer = client_for("manager").post("/api/v1/users", sent)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_an_address_that_is_in_use_anywhere_is_taken(client_for: ClientFor, cy: User) -> None:
    answer = client_for("manager").post("/api/v1/users", {"email": cy.email, "role": "dpo"})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_taken")
    assert "lsewhere" not in answer.json()["detail"]


def test_a_user_shows_the_roles_here_only(
    acme: Employer, elsewhere: Employer, dee: User, client_for: ClientFor
) -> None:
    Membership.objects.create(user=dee, employer=elsewhere, role=Role.DPO)
    shown = client_for("manager").get(f"/api/v1/users/{dee.uuid}").json()
    assert [row["role"] for row in shown["memberships"]] == ["dispatcher"]


def test_roles_come_and_go(dee: User, client_for: ClientFor) -> None:
    client, office = client_for("manager"), client_for("dispatcher")
    sent = {"user": str(dee.uuid), "role": "dpo"}
    assert office.get("/api/v1/audit").status_code == 403
    made = client.post("/api/v1/memberships", sent)
    assert made.status_code == 201
    assert office.get("/api/v1/audit").status_code == 200
    assert client.post("/api/v1/memberships", sent).json()["code"] == "already_taken"
    assert client.delete(f"/api/v1/memberships/{made.json()['id']}").status_code == 204
    assert office.get("/api/v1/audit").status_code == 403
    assert AuditEntry.objects.filter(action__startswith="membership.").count() == 2


def test_the_last_manager_stays(acme: Employer, max: User, client_for: ClientFor) -> None:
    client = client_for("manager")
    own = Membership.objects.get(user=max)
    answer = client.delete(f"/api/v1/memberships/{own.uuid}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_manager")
    make_user(acme, "eve@acme.example", Role.MANAGER)
    assert client.delete(f"/api/v1/memberships/{own.uuid}").status_code == 204


def test_a_driver_is_found_by_part_of_a_name_or_number(
    acme: Employer, ada: Driver, ben: Driver, client_for: ClientFor
) -> None:
    client = client_for("manager")
    client.post("/api/v1/drivers", {"name": "Łukasz Çelik", "number": "77_x"})

    def found(words: str) -> list[str]:
        rows = client.get("/api/v1/drivers", {"q": words}).json()["results"]
        return [row["name"] for row in rows]

    assert found("PEETERS") == ["Ada Peeters"]
    assert found("lukasz cel") == ["Łukasz Çelik"]
    assert found("ç") == ["Łukasz Çelik"]
    assert found("d-2") == ["Ben Özdemir"]
    assert found("7_") == ["Łukasz Çelik"]
    assert found("%") == []
    assert len(found("")) == len(found(" ")) == 3


@pytest.mark.parametrize("words", ["é", "\0", "'", '"', "\\", "%_", "x" * 5000])
def test_what_is_typed_never_breaks_the_list(client_for: ClientFor, words: str) -> None:
    answer = client_for("dispatcher").get("/api/v1/drivers", {"q": words})
    assert answer.status_code == (400 if words == "\0" else 200)


def test_making_a_driver_records_the_attestation(client_for: ClientFor) -> None:
    made = client_for("manager").post("/api/v1/drivers", {"name": "Eva Maes", "number": "9"})
    assert made.status_code == 201
    assert made.json()["adult_attested_on"] is not None
    entry = AuditEntry.objects.get(action="driver.created")
    assert entry.detail == {"is_adult_attested": True}
    assert "Eva" not in str(entry.detail)


def test_a_driver_may_be_nameless(client_for: ClientFor) -> None:
    client = client_for("manager")
    for _ in range(2):
        made = client.post("/api/v1/drivers", {})
        assert made.status_code == 201
        assert (made.json()["name"], made.json()["number"]) == ("", None)


def test_a_number_is_one_drivers(ada: Driver, client_for: ClientFor) -> None:
    client = client_for("manager")
    taken = client.post("/api/v1/drivers", {"name": "Eva", "number": ada.number})
    assert (taken.status_code, taken.json()["code"]) == (409, "already_taken")
    eva = client.post("/api/v1/drivers", {"name": "Eva", "number": "9"}).json()
    taken = client.patch(f"/api/v1/drivers/{eva['id']}", {"number": ada.number})
    assert taken.status_code == 409


def test_a_number_may_be_used_by_another_employer(cy_driver: Driver, client_for: ClientFor) -> None:
    sent = {"name": "Eva", "number": cy_driver.number}
    assert client_for("manager").post("/api/v1/drivers", sent).status_code == 201


def test_a_new_name_is_searched_by(acme: Employer, client_for: ClientFor) -> None:
    driver = make_driver(acme, "Eva Maes")
    client = client_for("manager")
    answer = client.patch(f"/api/v1/drivers/{driver.uuid}", {"name": "Eva Müller"})
    assert answer.json()["name"] == "Eva Müller"
    assert len(client.get("/api/v1/drivers?q=muller").json()["results"]) == 1
    entry = AuditEntry.objects.get(action="driver.changed")
    assert entry.detail == {"fields": ["name"]}
