"""Photograph every page of a running demo: `make screenshots`.

A Milepost of its own is started in a folder of its own, as `make run` would; its demo fleet
drives, and each page is taken at 1440 and 390 pixels, light and dark, into var/screenshots.
What a browser or axe-core complains of is printed; nothing else decides success but that
each page opens. Somebody has to look at the pictures.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.sync_api import Browser, sync_playwright
from tqdm import tqdm

from tests.chromium import ARGUMENTS, CHROMIUM, serious
from tests.real_system import PROJECT, free_port

READY_S: Final = 300.0
DRIVEN_S: Final = 180.0
SIZES: Final = {1440: 900, 390: 844}
SCHEMES: Final = ("light", "dark")
SIGNED_OUT: Final = {"sign-in": "/accounts/login/", "verify": "/verify"}


@contextmanager
def demo_site(var: Path) -> Iterator[str]:
    """The address of a demo that has driven for a while; stopped afterwards."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {
        name: value for name, value in os.environ.items() if not name.endswith(("_URL", "VAR_DIR"))
    }
    environment |= {"VAR_DIR": str(var), "PORT": str(port), "DEMO": "1"}
    shutil.copytree(PROJECT / "var" / "static", var / "static")
    shutil.copytree(PROJECT / "var" / "basemap", var / "basemap")
    process = subprocess.Popen(
        [sys.executable, "-m", "config.run"],
        env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(READY_S, lambda: httpx.get(f"{url}/readyz").status_code == httpx.codes.OK)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(patience_s: float, is_done: Any) -> None:
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            if is_done():
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline_s:
            raise TimeoutError("the demo did not get ready")
        time.sleep(1)


class Desk:
    """A browser in which somebody of the demo is signed in."""

    def __init__(self, browser: Browser, url: str, cookies: Any, **how: Any) -> None:
        self.context = browser.new_context(base_url=url, **how)
        if cookies:
            self.context.add_cookies(cookies)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def photograph(self, name: str, path: str, target: Path) -> list[str]:
        """Take a page; what the browser and axe-core say of it."""
        self.complaints.clear()
        answer = self.page.goto(path)
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(800)  # a map draws itself
        self.page.screenshot(path=target, full_page=True)
        if answer is None or not answer.ok:
            self.complaints.append(f"answered {answer.status if answer else 'nothing'}")
        # The rule and its words, once for a page: the element is found by whoever looks.
        rules = [": ".join(one.split(": ", 2)[:2]) for one in serious(self.page)]
        return [f"{name}: {one}" for one in (*self.complaints, *rules)]


def sign_in(browser: Browser, url: str, var: Path) -> Any:
    """Cookies of the demo's manager, who may open every page."""
    logins = json.loads((var / "demo.json").read_text())["logins"]
    manager = next(login for login in logins if login["role"] == "manager")
    desk = Desk(browser, url, None)
    desk.page.goto("/accounts/login/")
    desk.page.locator("input[name=login]").fill(manager["email"])
    desk.page.locator("input[name=password]").fill(manager["password"])
    desk.page.locator("main button[type=submit]").click()
    desk.page.wait_for_url(f"{url}/")
    cookies = desk.context.cookies()
    desk.context.close()
    return cookies


def pages(url: str, cookies: Any) -> dict[str, str]:
    """Name and path of each page, with the demo's own ids in them."""
    client = httpx.Client(
        base_url=f"{url}/api/v1", cookies={one["name"]: one["value"] for one in cookies}
    )

    def first(path: str, **of: str) -> Any:
        found = client.get(path, params=of).raise_for_status().json()["results"]
        return found[0] if found else None

    _wait(DRIVEN_S, lambda: first("missions", status="completed"))
    mission = first("missions", status="completed")
    started = first("missions", status="started") or mission
    driver = mission["assignments"][0]["driver"]
    truck = mission["assignments"][0]["truck"]
    stop = mission["stops"][-1]["id"]
    site = first("sites")["id"]
    device = first("devices")["id"]
    return {
        "today": "/",
        "live": "/live",
        "missions": "/missions",
        "mission": f"/missions/{mission['id']}",
        "mission-started": f"/missions/{started['id']}",
        "mission-proof": f"/missions/{mission['id']}/stops/{stop}/proof",
        "mission-replay": f"/missions/{mission['id']}/replay",
        "mission-new": "/missions/new",
        "mission-edit": f"/missions/{started['id']}/edit",
        "mission-import": "/missions/import",
        "driver-day": f"/drivers/{driver}/day",
        "driver-month": f"/drivers/{driver}/month",
        "driver-replay": f"/drivers/{driver}/replay",
        "truck-day": f"/trucks/{truck}/day",
        "truck-month": f"/trucks/{truck}/month",
        "who-was-where": "/where",
        "phones": "/phones",
        "phone": f"/phones/{device}",
        "phone-new": "/phones/new",
        "quarantine": "/quarantine",
        "manage": "/manage",
        "drivers": "/manage/drivers",
        "driver": f"/manage/drivers/{driver}",
        "trucks": "/manage/trucks",
        "truck": f"/manage/trucks/{truck}",
        "sites": "/manage/sites",
        "site": f"/manage/sites/{site}",
        "users": "/manage/users",
        "api-keys": "/manage/keys",
        "webhooks": "/manage/webhooks",
        "employer": "/manage/employer",
        "audit": "/manage/audit",
        "preferences": "/preferences",
    }


def main() -> int:
    """Take all pictures; 1 when a page complained."""
    target = PROJECT / "var" / "screenshots"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    complaints: dict[str, None] = {}
    with tempfile.TemporaryDirectory(prefix="milepost-") as folder, sync_playwright() as playwright:
        var = Path(folder)
        with demo_site(var) as url:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            cookies = sign_in(browser, url, var)
            wanted = pages(url, cookies)
            bar = tqdm(total=(len(wanted) + len(SIGNED_OUT)) * 4, unit="picture")
            for width, height in SIZES.items():
                for scheme in SCHEMES:
                    how = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
                    for desk, paths in (
                        (Desk(browser, url, cookies, **how), wanted),
                        (Desk(browser, url, None, **how), SIGNED_OUT),
                    ):
                        for name, path in paths.items():
                            picture = target / f"{name}-{width}-{scheme}.png"
                            complaints |= dict.fromkeys(desk.photograph(name, path, picture))
                            bar.update()
            bar.close()
            browser.close()
    sys.stdout.writelines(f"{one}\n" for one in complaints)
    sys.stdout.write(f"{len(list(target.iterdir()))} pictures in var/screenshots: look at them.\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
