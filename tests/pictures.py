"""The pictures of README and docs, made from real output: ``make pictures``.

A small site of an invented studio runs meanwhile; the terminal's picture is what the command writes on a terminal, the
pages' are the dictionary in Chromium. What they were made from is beside them as a digest, so that a test can say when
they are no longer what one would get.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from producers import LOG, Producers
from rich.console import Console
from rich.text import Text
from sites import REPOSITORY, SAMPLES
from sites import site as site_schema
from testsite import LocalSite, raw_schema

from sg_migrate import load_schema

FOLDER = REPOSITORY / "docs" / "pictures"
MADE_FROM = FOLDER / "made_from.json"
WIDTH = 112
PAGES = {
    "dictionary-start.png": "#-start",
    "dictionary-shot.png": "#Shot",
    "dictionary-search.png": "turnover",
}
"""Each picture with the place that it shows, or what is searched for."""


class Story:
    """Two Mondays of a studio: its project, what the second one's command says, and the dictionary afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        schema = raw_schema(load_schema(SAMPLES[1]).schema)
        schema[0]["EventLogEntry"] = raw_schema(site_schema(EventLogEntry=LOG))[0]["EventLogEntry"]
        with LocalSite({"schema_read": schema[0], "schema_entity_read": schema[1]}) as site:
            self._environment = {key: value for key, value in os.environ.items() if key[:3] != "SG_"} | site.environment
            self._run("init", str(folder), "--live")
            self._run("revision", "-m", "first", "--rev-id", "3b1c2f6e90ad")
            self._work(Producers(site))
            self.said = self._on_a_terminal("revision", "-m", "weekly sync", "--rev-id", "5dd263661669", "--details")
        for day, name in (("2026-11-02", "3b1c2f6e90ad"), ("2026-11-09", "5dd263661669")):
            (path,) = (folder / "migrations" / "versions").glob(f"{name}_*.py")
            text = path.read_text("utf-8")
            path.write_text(re.sub(r"Create Date: .*", f"Create Date: {day} 08:00:00", text), "utf-8")
        snapshot = folder / "migrations" / "site_schema.json"
        snapshot.write_text(snapshot.read_text("utf-8").replace(site.host, "studio.example.com"), "utf-8")
        self._run("dictionary", "dictionary.html")
        self.page = folder / "dictionary.html"

    def _work(self, people: Producers) -> None:
        people.columns[("Shot", "sg_turnover")] = 3001
        people.columns[("Asset", "sg_rig_notes")] = 3002
        people.columns[("Task", "sg_filemaker_id")] = 3003
        for (entity_type, code), column in people.columns.items():
            name = people.site.schema[0][entity_type][code]["name"]["value"]
            people.site.records.put("DisplayColumn", column, {"entity_type": entity_type, "name": name})
        people.wait(2)
        people.add("Jane Doe", "Shot", "sg_sort_hack", "number Sort Order")
        people.retype("Jane Doe", "Shot", "sg_turnover", "number")
        people.wait(1)
        people.rename("Sam Field", "Asset", "sg_rig_notes", "Rig Handover")
        people.delete("script:tidy_fields", "Task", "sg_filemaker_id")

    def _run(self, *command: str) -> None:
        done = subprocess.run(self._program(*command), env=self._environment, cwd=self._cwd, capture_output=True)
        assert done.returncode in (0, 3, 4), done.stderr

    @property
    def _cwd(self) -> Path:
        return self.folder if self.folder.exists() else self.folder.parent

    def _program(self, *command: str) -> list[str]:
        return [str(Path(sys.executable).parent / "sg-migrate"), *command]

    def _on_a_terminal(self, *command: str) -> str:
        """What a command writes on a terminal, colours and all."""
        ours, theirs = pty.openpty()
        environment = {**self._environment, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
        process = subprocess.Popen(
            self._program(*command), env=environment, cwd=self.folder, stdin=theirs, stdout=theirs,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            said += part
        os.close(ours)
        assert process.wait() in (3, 4)
        return said.decode().replace("\r\n", "\n")


def terminal(said: str) -> str:
    """A command with what it said, as a picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text('$ sg-migrate revision -m "weekly sync" --details', style="bold"))
    console.print(Text.from_ansi(said), soft_wrap=False)
    return console.export_svg(title="Monday", unique_id="monday")


def digests(story: Story) -> dict[str, str]:
    """What the pictures are made from."""
    page = re.sub(r"As of \d{4}-\d\d-\d\d", "", story.page.read_text("utf-8")) + repr(sorted(PAGES.items()))
    pages = hashlib.sha256(page.encode()).hexdigest()
    return {"dictionary": pages, "monday.svg": hashlib.sha256(terminal(story.said).encode()).hexdigest()}


def main() -> None:
    from browser import opened

    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        story = Story(Path(temporary, "warehouse"))
        (FOLDER / "monday.svg").write_text(terminal(story.said), "utf-8")
        for name, place in PAGES.items():
            with opened(story.page, width=1200, height=640) as page:
                if place.startswith("#"):
                    page.evaluate("place => { location.hash = place }", place)
                else:
                    page.fill("#-query", place)
                page.wait_for_timeout(300)
                page.screenshot(path=str(FOLDER / name))
        MADE_FROM.write_text(json.dumps(digests(story), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.path.append(str(REPOSITORY / "tests" / "dictionary"))
    main()
