"""Composite foreign keys: the database itself refuses a link between two employers.

Django has no composite foreign key, so migrations add them with this operation, beside
the single-column ones (which alone would accept another employer's id).
"""

from django.db import migrations


class SameEmployer(migrations.RunSQL):
    """`(employer_id, <column>)` of a table must exist as `(employer_id, id)` of its target.

    Checked at commit, like Django's own foreign keys. A NULL column passes.
    """

    def __init__(self, table: str, column: str, target: str) -> None:
        name = f"{table}_{column}_of_same_employer"[:63]
        super().__init__(
            sql=(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" '
                f'FOREIGN KEY (employer_id, "{column}") REFERENCES "{target}" (employer_id, id) '
                "DEFERRABLE INITIALLY DEFERRED"
            ),
            reverse_sql=f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
        )
