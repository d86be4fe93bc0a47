"""Until when positions are kept. Inexact on purpose: it chooses between two sentences of a page."""

from datetime import datetime, timedelta

from accounts.models import Employer


def kept_since(employer: Employer, now: datetime) -> datetime:
    """Before this, positions are gone and only stages answer."""
    return now - timedelta(days=31 * employer.route_months)
