"""The list of sites: searched and sorted without accents and capitals, and how long stays last."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import CharField, Count, F, Func, Q, QuerySet, Value
from django.db.models.functions import Lower

from accounts.folding import folded
from accounts.models import Employer
from missions.models import Site, Stop
from missions.stages import Stage

# Stays longer ago say little of how a site works now.
STAYS_SINCE: Final = timedelta(days=30)
# Fewer say nothing of a site.
LEAST_STAYS: Final = 3
# A map with more dots shows none of them.
MOST_ON_MAP: Final = 2000

# Letters of Latin that fold to one plain letter, as `folded` does it, for the database: it
# has no unaccent, and sites have no folded column.
_ACCENTED: Final = "".join(
    chr(code)
    for code in range(0xC0, 0x250)
    if len(folded(chr(code))) == 1
    and folded(chr(code)) != chr(code)
    and unicodedata.category(chr(code)) == "Ll"
)
_PLAIN: Final = "".join(folded(letter) for letter in _ACCENTED)

# The median of what lies between the first arrival and the last departure of a stop, of
# stages that stand, per site.
_STAYS: Final = """
    SELECT site_id, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY stay_s)
      FROM (
        SELECT s.site_id,
               extract(epoch FROM max(e.recorded_at) FILTER (WHERE e.stage = %(departure)s)
                                - min(e.recorded_at) FILTER (WHERE e.stage = %(arrival)s)) AS stay_s
          FROM missions_stop s
          JOIN missions_stageevent e ON e.stop_id = s.id
         WHERE s.site_id = ANY(%(sites)s)
           AND e.stage IN (%(arrival)s, %(departure)s)
           AND e.recorded_at >= %(since)s
           AND NOT e.is_retraction
           AND NOT EXISTS (SELECT FROM missions_stageevent c WHERE c.corrects_id = e.id)
         GROUP BY s.id
      ) AS stays
     WHERE stay_s > 0
     GROUP BY site_id
    HAVING count(*) >= %(least)s
"""


def folded_column(name: str) -> Func:
    """A text column without capitals and accents, to compare with what `folded` returns."""
    return Func(
        Lower(F(name)),
        Value(_ACCENTED),
        Value(_PLAIN),
        function="translate",
        output_field=CharField(),
    )


def sites_like(employer: Employer, words: str) -> QuerySet[Site]:
    """The employer's sites whose name, address or own number has each of these words."""
    sites = Site.objects.filter(employer=employer).alias(
        folded_name=folded_column("name"),
        folded_address=folded_column("address"),
        folded_number=folded_column("external_id"),
    )
    for word in folded(words).split():
        sites = sites.filter(
            Q(folded_name__contains=word)
            | Q(folded_address__contains=word)
            | Q(folded_number__contains=word)
        )
    return sites.order_by("folded_name", "id")


def stop_counts(sites: Sequence[Site]) -> dict[int, int]:
    """For how many visits each was ever planned; not in it: none. One query."""
    stops = Stop.objects.filter(site__in=[site.pk for site in sites]).order_by()
    return dict(stops.values_list("site").annotate(n=Count("pk")))


def median_stays_s(sites: Sequence[Site], now: datetime) -> dict[int, tuple[int, int]]:
    """For sites with enough stays in 30 days: how many there were and the median's seconds.

    Nothing of who drove: a site makes everybody wait. One query.
    """
    asked: dict[str, Any] = {
        "sites": [site.pk for site in sites],
        "arrival": int(Stage.ARRIVAL),
        "departure": int(Stage.DEPARTURE),
        "since": now - STAYS_SINCE,
        "least": LEAST_STAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, asked)
        return {site: (count, round(median_s)) for site, count, median_s in cursor.fetchall()}
