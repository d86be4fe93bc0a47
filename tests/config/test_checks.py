"""`manage.py check --deploy` refuses what must not go live."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


def check_deploy(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "REQUIRE_HTTPS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_with_https() -> None:
    done = check_deploy()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MAX_FIX_AGE_DAYS": "60"}, "milepost.E001"),
        ({"HOST": "192.0.2.1"}, "milepost.E002"),
        ({"OUTBOUND_ALLOW_LOOPBACK": "1"}, "milepost.E003"),
        ({"REQUIRE_HTTPS": "0"}, "security.W008"),
    ],
)
def test_it_refuses(environment: dict[str, str], said: str) -> None:
    done = check_deploy(**environment)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_network_address_is_fine_with_a_token_for_the_metrics() -> None:
    done = check_deploy(HOST="192.0.2.1", METRICS_TOKEN="for-the-monitor")
    assert done.returncode == 0, done.stderr
