"""Migrations on tables that hold what an earlier version let in."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import Driver, Employer, MarkSource
from missions.models import StageEvent
from missions.stages import Stage
from tests.missions.builders import make_mission
from tests.missions.opening_cases import at

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("missions", "0010_keep_proofs_of_one_employer")]
AFTER = [("missions", "0011_add_results_of_stages")]


@pytest.fixture
def newest() -> Iterator[None]:
    """Leaves the database as the other tests expect it, whatever happens here."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def _migrate(targets: list[tuple[str, str]]) -> None:
    MigrationExecutor(connection).migrate(targets)


def _old_stage(driver_id: int, employer_id: int, mission_id: int, corrects: int | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO missions_stageevent (uuid, employer_id, driver_id, mission_id, stage,"
            " recorded_at, position_source, site_check, reason, ends_mission, source, corrects_id,"
            " remark)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 'none', 'unknown', '', false, %s, %s,"
            " '') RETURNING id",
            [employer_id, driver_id, mission_id, Stage.ARRIVAL, at("08:00"),
             MarkSource.DISPATCHER, corrects],
        )  # fmt: skip
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def test_corrections_that_were_made_twice_follow_each_other(
    newest: None, acme: Employer, ada: Driver
) -> None:
    mission = make_mission(acme, ada)
    _migrate(BEFORE)
    where = ada.pk, acme.pk, mission.pk
    first = _old_stage(*where, None)
    once = _old_stage(*where, first)
    again = _old_stage(*where, first)
    of_the_first = _old_stage(*where, once)
    other = _old_stage(*where, None)
    of_the_other = _old_stage(*where, other)
    _migrate(AFTER)
    said = dict(StageEvent.objects.order_by("id").values_list("id", "corrects_id"))
    assert said == {
        first: None, once: first, again: once, of_the_first: again,
        other: None, of_the_other: other,
    }  # fmt: skip
