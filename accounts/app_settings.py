"""What our app learns when it pairs, and whenever it asks again."""

from typing import Final

from django.conf import settings

from accounts.duty_marks import MARK_BY_LABEL
from accounts.models import Device, Driver
from accounts.stages import EXCEPTION_REASONS, STAGE_BY_LABEL

INGEST_URL: Final = "/ingest/v1/fixes"
MAX_BATCH: Final = 1000  # fixes in one request
# What the product promises: a fix every 500 m. An employer that thins nothing (0) on the
# server still has phones that report at this distance.
DEFAULT_SPACING_M: Final = 500


def app_settings(device: Device, driver: Driver) -> dict[str, object]:
    """The settings as JSON. Changes of the employer reach the app when it asks."""
    employer = driver.employer
    return {
        "employer": {"id": str(employer.uuid), "name": employer.name},
        "driver": {"id": str(driver.uuid), "name": driver.name},
        "device": {"id": str(device.uuid), "name": device.name},
        "timezone": employer.timezone,
        "language": driver.language or employer.language,
        "tracking_window": employer.tracking_window,
        "min_spacing_m": employer.min_spacing_m or DEFAULT_SPACING_M,
        "stages": list(STAGE_BY_LABEL),
        "duty_marks": list(MARK_BY_LABEL),
        "exception_reasons": list(EXCEPTION_REASONS),
        "ingest_url": INGEST_URL,
        "max_batch": MAX_BATCH,
        "max_fix_age_days": settings.MAX_FIX_AGE_DAYS,
    }
