"""What is installed is fixed by hash, and no file names the registry of one machine."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PYTHON_LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")
ADDRESS = re.compile(r"https?://|--(extra-)?index-url|--find-links|--trusted-host")


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_a_python_lock_has_a_hash_for_each_package_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert len(entries) > 0
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert ADDRESS.search(text) is None


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_a_python_lock_holds_all_that_its_source_asks_for(name: str) -> None:
    source = (ROOT / name).with_suffix(".in").read_text()
    wanted = {
        re.split(r"[\[<>=# ]", line)[0].lower()
        for line in source.splitlines()
        if line and line[0] not in "#-"
    }
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text(), re.MULTILINE))
    assert wanted
    assert wanted - locked == set()


def test_what_runs_has_the_same_versions_in_tests() -> None:
    pattern = re.compile(r"^([a-z0-9-]+==\S+)", re.MULTILINE)
    runtime = set(pattern.findall((ROOT / "requirements.txt").read_text()))
    dev = set(pattern.findall((ROOT / "requirements-dev.txt").read_text()))
    assert len(runtime) > 20
    assert runtime - dev == set()


def test_the_node_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text()
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "resolved" not in text
    assert ADDRESS.search(text) is None


def test_no_tracked_file_names_a_registry() -> None:
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "*.toml",
            "*.txt",
            "*.in",
            "*.json",
            ".npmrc",
            "Makefile",
            "Dockerfile",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout")
    named = re.compile(r"--(extra-)?index-url|^registry *=|\"resolved\": *\"http", re.MULTILINE)
    assert "pyproject.toml" in listed
    assert [name for name in listed if named.search((ROOT / name).read_text())] == []
