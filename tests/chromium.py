"""Debian's Chromium as the tests start it, and axe-core to judge what it shows."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).resolve().parent.parent / "node_modules/axe-core/axe.min.js"
# WCAG 2.2 AA, and what axe's authors hold to be good practice besides.
AXE_RUNS = "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def serious(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or critical: rule, words, element."""
    page.evaluate(_axe())
    found = page.evaluate(AXE_RUNS)
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
