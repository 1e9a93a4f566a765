"""The dictionary's page in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import opened
from playwright.sync_api import expect
from sites import REAL, SAMPLES, field, site

from sg_migrate import Settings, SiteSchema, load_schema
from sg_migrate.dictionary.collect import schema_dictionary
from sg_migrate.reports.dictionary_page import render


def page_of(schema: SiteSchema, folder: Path) -> Path:
    path = folder / "dictionary.html"
    path.write_text(render(schema_dictionary(schema, Settings())), encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return page_of(load_schema(SAMPLES[4]).schema, tmp_path)


def test_search_and_keyboard(path: Path) -> None:
    with opened(path) as page:
        expect(page.locator("section[id='-start']")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("turnover")
        links = page.locator("[id='-results'] a")
        expect(links.first).to_contain_text("Shot.sg_turnover")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        assert page.url.endswith("#Shot.sg_turnover")
        expect(page.locator("section[id='Shot']")).to_be_visible()
        expect(page.locator("section:visible")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(links).to_have_count(0)
        page.keyboard.type("no such thing")
        expect(page.locator("[id='-results']")).to_have_text("0 found")


def test_values_are_found_too(path: Path) -> None:
    with opened(path) as page:
        page.fill("[id='-query']", "vehicle")
        expect(page.locator("[id='-results'] a").first).to_contain_text("Asset.sg_asset_type")


def test_links_lead_to_entity_types_and_fields(path: Path) -> None:
    with opened(path) as page:
        page.click("nav a[href='#Shot']")
        expect(page.locator("section[id='Shot'] h1")).to_be_visible()
        assert page.locator("nav a[aria-current]").get_attribute("href") == "#Shot"
        page.click("section[id='Shot'] svg a[href='#Sequence']")
        expect(page.locator("section[id='Sequence']")).to_be_visible()
        expect(page.locator("section[id='Shot']")).to_be_hidden()
        broken = page.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
            ".filter(id => !document.getElementById(id))"
        )
        known = load_schema(SAMPLES[4]).schema.entity_types
        assert {code for code in broken if code in known} == set()


def test_narrow_dark_and_print(path: Path) -> None:
    with opened(path, width=360, dark=True) as page:
        page.evaluate("location.hash = 'Shot'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(23, 24, 26)"
        page.emulate_media(media="print")
        expect(page.locator("nav")).to_be_hidden()
        expect(page.locator("section:visible")).to_have_count(len(load_schema(SAMPLES[4]).schema.entity_types) + 1)


def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    hostile = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>"
    schema = site(Shot={"code": field("Shot.code", name=hostile, description=hostile)})
    with opened(page_of(schema, tmp_path)) as page:
        page.fill("[id='-query']", "script")
        page.locator("[id='-results'] a").first.click()
        expect(page.locator("tr[id='Shot.code']")).to_contain_text(hostile)


@pytest.mark.long
@pytest.mark.skipif(not REAL, reason="this machine has no real schemas")
def test_the_first_result_is_there_in_no_time(tmp_path: Path) -> None:
    """The median of five pages, each with an index to be made."""
    path = page_of(load_schema(REAL[-1]).schema, tmp_path)
    script = """() => { const query = document.getElementById('-query'); query.value = 'status';
        const begin = performance.now(); query.dispatchEvent(new Event('input')); return performance.now() - begin; }"""
    times = []
    with opened(path) as page:
        for _ in range(5):
            page.reload()
            times.append(page.evaluate(script))
            assert page.locator("[id='-results'] a").count() == 50
    assert sorted(times)[2] < 50
