"""The README names only what is there."""

import re
from pathlib import Path

from django.conf import settings

from tracking.ingest.sent import KIND_BY_LABEL

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_path_of_where_is_exists() -> None:
    table = README.split("## Where is …?")[1].split("\n## ")[0]
    paths = {found for found in re.findall(r"`([\w./]+/[\w.]+)`", table) if "<" not in found}
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_variable_is_a_setting() -> None:
    table = README.split("| setting | default | meaning |")[1].split("\n\n")[0]
    names = set(re.findall(r"`([A-Z_]{3,})`", table))
    assert len(names) > 10
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text()))
    read |= {"DATABASE_URL", "REDIS_URL"}
    assert names - read == set()


def test_every_kind_is_documented() -> None:
    chapter = README.split("## Write a phone app")[1].split("\n## ")[0]
    assert [kind for kind in KIND_BY_LABEL if f"`{kind}`" not in chapter] == []


def test_every_problem_of_ingest_is_documented() -> None:
    codes = set()
    for name in ("app.py", "http.py"):
        text = (ROOT / "tracking/ingest" / name).read_text()
        codes |= set(re.findall(r'problem\(\s*\d{3},\s*"(\w+)"', text))
    assert {"token_unknown", "queue_full", "gzip_broken"} <= codes
    of_routing = {"not_found", "method_not_allowed"}
    said = {"content_type_unsupported", "content_encoding_unsupported"}  # as 415
    chapter = README.split("## Write a phone app")[1]
    assert [code for code in codes - of_routing - said if f"`{code}`" not in chapter] == []


def test_every_picture_exists() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).exists()] == []
