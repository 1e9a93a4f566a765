"""A real browser, without a window: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright


@contextmanager
def opened(path: Path, *, width: int = 1200, height: int = 800, dark: bool = False) -> Iterator[Page]:
    """A page in the browser; afterwards nothing was in the console, and nothing was asked of any network."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("SG_MIGRATE_REQUIRE_ENGINES") == "1":
            pytest.fail("no Chromium found; on Debian: apt-get install chromium")
        pytest.skip("no Chromium found; on Debian: apt-get install chromium")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: wrong.append(request.url) if request.url != path.as_uri() else None)
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert wrong == []
