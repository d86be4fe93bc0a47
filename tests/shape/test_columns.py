# ruff: noqa: SLF001 (`_meta` is how Django lets one look at a model)
"""The columns that the recording statement names are those of the models and of the tables."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from tracking.models import Fix

SQL = "".join(
    (Path(settings.BASE_DIR) / "tracking/ingest" / name).read_text(encoding="utf-8")
    for name in ("record.sql", "quarantine.sql")
)
INSERT = re.compile(r"INSERT INTO (\w+)(?: AS \w+)? \(([^)]+)\)")


def columns_of(table: str) -> set[str]:
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, table)
        return {column.name for column in description}


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted({table for table, _ in INSERT.findall(SQL)}))
def test_inserts_name_columns_of_the_model_and_leave_out_none_that_needs_a_value(
    table: str,
) -> None:
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    fields = {field.column: field for field in model._meta.concrete_fields if field.column}
    needed = {
        column
        for column, field in fields.items()
        if not (field.null or field.has_db_default() or field.primary_key)
    }
    for found, listed in INSERT.findall(SQL):
        if found == table:
            named = {name.strip() for name in listed.split(",")}
            assert named <= set(fields)
            assert needed <= named


@pytest.mark.django_db
def test_the_table_of_fixes_has_the_columns_of_its_model() -> None:
    fields = {field.column for field in Fix._meta.concrete_fields if field.column}
    assert columns_of("tracking_fix") == fields


@pytest.mark.django_db
def test_the_table_of_fixes_has_one_index_and_no_foreign_key() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'tracking_fix'")
        assert cursor.fetchone() == (1,)
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
            " AND 'tracking_fix'::regclass IN (conrelid, confrelid)"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_every_link_between_tenant_tables_is_walled() -> None:
    """A foreign key from one table with an employer to another needs its composite twin."""
    tenant = {
        model._meta.db_table: model
        for model in apps.get_models()
        if any(field.column == "employer_id" for field in model._meta.concrete_fields)
        and model is not Fix
    }
    owed = {
        (table, field.column)
        for table, model in tenant.items()
        for field in model._meta.concrete_fields
        if field.is_relation
        and field.related_model is not None
        and field.column != "employer_id"
        and field.related_model._meta.db_table in tenant
        and field.related_model is not model
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, a.attname FROM pg_constraint"
            " JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[2]"
            " WHERE contype = 'f' AND cardinality(conkey) = 2"
        )
        walled = set(cursor.fetchall())
    assert ("missions_stop", "mission_id") in walled
    assert owed - walled == set()
