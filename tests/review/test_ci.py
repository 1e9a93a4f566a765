"""docs/ci as it stands: its shape, and its shell steps run on a sample project. Only GitHub's and GitLab's own
machinery (the checkout, `gh`, GitLab's API) is stood in for, and pip, whose one line runs in a test of its own; git,
sg-migrate and the site's client are real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]
from click.testing import CliRunner
from reviewed import Reviewed, small_site
from testsite import LocalSite

pytest_plugins = ["reviewfixtures"]

CI = Path(__file__).parent.parent.parent / "docs" / "ci"
BIN = Path(sys.executable).parent
MARKER = "<!-- sg-migrate review -->"

GH = """
import json, os, pathlib, shutil, subprocess, sys
path = pathlib.Path(os.environ["GH_STATE"])
state = json.loads(path.read_text())
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
if words[:2] == ["pr", "list"]:
    answer = [pull for pull in state["pulls"] if pull["head"] == option("--head")]
    print(answer[0]["number"] if answer else "")
elif words[:2] == ["pr", "create"]:
    body = pathlib.Path(option("--body-file")).read_text()
    state["pulls"].append({"number": 7, "head": option("--head"), "title": option("--title"), "body": body})
elif words[:2] == ["pr", "edit"]:
    pull = next(pull for pull in state["pulls"] if str(pull["number"]) == words[2])
    pull.update(title=option("--title"), body=pathlib.Path(option("--body-file")).read_text())
elif words[:2] == ["api", "--paginate"]:
    assert words[2].endswith("/issues/7/comments")
    if shutil.which("jq"):
        subprocess.run(["jq", "-r", option("--jq")], input=json.dumps(state["comments"]), text=True, check=True)
    else:
        for comment in state["comments"]:
            if comment["user"]["type"] == "Bot" and comment["body"].startswith(os.environ["MARKER"]):
                print(comment["id"])
elif words[:2] == ["api", "--method"]:
    body = pathlib.Path(option("-F").removeprefix("body=@")).read_text()
    if words[2] == "POST":
        state["comments"].append({"id": 100 + len(state["comments"]), "user": {"type": "Bot"}, "body": body})
    else:
        next(c for c in state["comments"] if words[3].endswith(f"/{c['id']}"))["body"] = body
else:
    sys.exit(f"unknown: {words}")
path.write_text(json.dumps(state))
"""

CURL = """
import json, os, pathlib, sys
path = pathlib.Path(os.environ["GH_STATE"])
state = json.loads(path.read_text())
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
assert option("--header") == "PRIVATE-TOKEN: token"
if "--request" not in words:
    print(json.dumps(state["comments"]))
else:
    body = pathlib.Path(option("--form").removeprefix("body=<")).read_text()
    if option("--request") == "POST":
        state["comments"].append({"id": 100 + len(state["comments"]), "body": body})
    else:
        next(c for c in state["comments"] if words[-1].endswith(f"/notes/{c['id']}"))["body"] = body
path.write_text(json.dumps(state))
"""


PIP = """
import pathlib, sys
assert " ".join(sys.argv[1:]) == "install -r requirements.txt"
assert pathlib.Path("requirements.txt").exists()
"""


def load(name: str) -> dict[str, Any]:
    """A pipeline; YAML 1.1 reads the key ``on`` as true."""
    document: dict[Any, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


@dataclass
class Runner:
    """A folder with a clone of the project, and what the server remembers between runs."""

    folder: Path
    origin: Path
    variables: dict[str, str]
    expressions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        for name, text in (("gh", GH), ("curl", CURL), ("pip", PIP)):
            (bin_folder / name).write_text(f"#!{sys.executable} -IS\n{text}")
            (bin_folder / name).chmod(0o755)
        self.state = self.folder / "state.json"
        other = {"id": 1, "user": {"type": "User"}, "body": f"{MARKER} quoted by a person"}
        self.state.write_text(json.dumps({"pulls": [], "comments": [other] if self.expressions else []}))

    @property
    def remembered(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.state.read_text())
        return state

    def clone(self, branch: str) -> Path:
        """What the checkout action does."""
        clone = self.folder / "work"
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--branch", branch, str(self.origin), str(clone)], check=True)
        return clone

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([str(self.folder / "bin"), str(BIN), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_ENV": str(self.folder / "env"),
            "GITHUB_REPOSITORY": "studio/warehouse",
            "GH_STATE": str(self.state),
            **self.variables,
        }

    def run(self, name: str, branch: str) -> list[str]:
        """Run a workflow's only job as GitHub would; returns the names of the steps that failed."""
        (job,) = load(name)["jobs"].values()
        clone = self.clone(branch)
        failed: list[str] = []
        for file in ("output", "env"):
            (self.folder / file).write_text("")
        for step in job["steps"]:
            if "run" not in step or (failed and "cancelled" not in step.get("if", "")):
                continue
            given = {**job.get("env", {}), **step.get("env", {})}
            environment = self.environment() | {key: self.filled(str(value)) for key, value in given.items()}
            environment |= dict(line.split("=", 1) for line in (self.folder / "env").read_text().splitlines())
            if self.shell(step["run"], clone, environment):
                failed.append(step["name"])
        return failed

    def filled(self, text: str) -> str:
        """The text with every ``${{ expression }}`` replaced."""
        outputs = dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())
        known = self.expressions | {f"steps.revision.outputs.{key}": value for key, value in outputs.items()}
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: known[match[1]], text)

    def shell(self, script: str, folder: Path, environment: dict[str, str]) -> int:
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        return done.returncode


def repository(made: Reviewed, folder: Path) -> Path:
    """The project in a bare repository, on the branch main."""
    (made.folder / "requirements.txt").write_text("")
    (made.folder / ".gitignore").write_text("__pycache__/\n*.db\n")
    git(made.folder, "init", "-q", "-b", "main")
    commit(made.folder, "first")
    origin = folder / "origin.git"
    git(folder, "clone", "-q", "--bare", str(made.folder), str(origin))
    git(origin, "config", "receive.advertisePushOptions", "true")
    git(made.folder, "remote", "add", "origin", str(origin))
    return origin


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


# --- shape


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("github-weekly.yml", "vendor.github-workflows"),
        ("github-pull-request.yml", "vendor.github-workflows"),
        ("gitlab.yml", "vendor.gitlab-ci"),
    ],
)
def test_the_pipelines_follow_their_servers_schema(name: str, schema: str) -> None:
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, str(CI / name)])
    assert done.exit_code == 0, done.output


def test_pip_reads_the_projects_requirements(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sg-migrate\n")  # as it is installed here
    command = [str(BIN / "pip"), *["install", "-r", "requirements.txt"], "--no-index"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "already satisfied: sg-migrate" in done.stdout


def test_the_weekly_job_holds_the_sites_credentials_in_one_step_only() -> None:
    document = load("github-weekly.yml")
    assert {"schedule", "workflow_dispatch"} == set(document["on"])
    (job,) = document["jobs"].values()
    holding = [step["name"] for step in job["steps"] if "SG_API_KEY" in step.get("env", {})]
    assert holding == ["Refresh the snapshot, write the revision, review it"]
    assert "SG_API_KEY" not in json.dumps(job.get("env", {}))


def test_a_pull_request_gets_no_secret_and_can_write_comments_only() -> None:
    document = load("github-pull-request.yml")
    assert set(document["on"]) == {"pull_request"}
    assert document["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "secrets." not in (CI / "github-pull-request.yml").read_text()


@pytest.mark.parametrize("name", ["github-weekly.yml", "github-pull-request.yml"])
def test_no_expression_stands_inside_a_script(name: str) -> None:
    """What others can name (a branch, a title) must never become a part of a shell's text."""
    (job,) = load(name)["jobs"].values()
    assert not [step["name"] for step in job["steps"] if "${{" in step.get("run", "")]


# --- run


def test_the_weekly_job_keeps_one_pull_request(small: Reviewed, tmp_path: Path) -> None:
    small.take(replace(small_site(), host=LocalSite.host))
    origin = repository(small, tmp_path)
    with LocalSite(small_site()) as site:
        expressions = {"vars.SG_URL": site.url, "secrets.SG_SCRIPT": site.script, "secrets.SG_API_KEY": site.api_key,
                       "github.token": "t", "github.ref_name": "main"}  # fmt: skip
        runner = Runner(tmp_path, origin, {}, expressions)
        assert runner.run("github-weekly.yml", "main") == []
        assert runner.remembered["pulls"] == []

        site.schema = small_site(sg_new="date")
        assert runner.run("github-weekly.yml", "main") == []
        (pull,) = runner.remembered["pulls"]
        assert pull["title"] == "The site's schema changed"
        assert "`Shot.sg_new added`" in pull["body"]
        assert added(origin) == ["migrations/site_schema.json", "migrations/versions/*"]

        site.schema = small_site(sg_new="date", sg_cut_in="number")
        assert runner.run("github-weekly.yml", "main") == []
        (pull,) = runner.remembered["pulls"]
        assert pull["title"] == "The site's schema changed: somebody must look"
        assert "SGM201" in pull["body"]
        assert added(origin) == ["migrations/site_schema.json", "migrations/versions/*"]

        expressions["secrets.SG_API_KEY"] = "wrong"
        assert runner.run("github-weekly.yml", "main") == ["Refresh the snapshot, write the revision, review it"]


def added(origin: Path) -> list[str]:
    """What the branch changes, the ids of revisions aside."""
    names = git(origin, "diff", "--name-only", "main", "shotgrid-schema").splitlines()
    return [re.sub(r"versions/.*", "versions/*", name) for name in names]


def test_the_review_is_one_comment_that_is_updated(small: Reviewed, tmp_path: Path) -> None:
    origin = repository(small, tmp_path)
    base = git(small.folder, "rev-parse", "HEAD")
    expressions = {"github.event.pull_request.base.sha": base, "github.event.pull_request.number": "7",
                   "github.token": "t"}  # fmt: skip
    runner = Runner(tmp_path, origin, {}, expressions)
    git(small.folder, "switch", "-qc", "change")

    small.follow(small_site(sg_cut_in="number"), "r2")
    push(small, "a conversion")
    assert runner.run("github-pull-request.yml", "change") == ["Verdict"]
    mine = comments(runner)
    assert len(mine) == 1
    assert "SGM201" in mine[0]
    assert "migrations/versions/r2_r2.py" in mine[0]

    path = small.revision("r2")
    path.write_text(path.read_text() + "\n# sg-migrate: allow SGM201 -- the texts were checked\n")
    push(small, "allowed")
    assert runner.run("github-pull-request.yml", "change") == []
    assert len(comments(runner)) == 1
    assert "`the texts were checked`" in comments(runner)[0]

    small.take(small_site(sg_cut_in="number", sg_new="date"))
    push(small, "the snapshot alone")
    assert runner.run("github-pull-request.yml", "change") == ["Check"]


def push(made: Reviewed, message: str) -> None:
    commit(made.folder, message)
    git(made.folder, "push", "-qf", "origin", "change")


def comments(runner: Runner) -> list[str]:
    """The comments that the job wrote; the person's stays as it is."""
    found = runner.remembered["comments"]
    assert [comment["body"] for comment in found if comment["id"] == 1] in ([], [f"{MARKER} quoted by a person"])
    return [comment["body"] for comment in found if comment["id"] != 1]


def test_gitlab_reviews_in_one_note_that_is_updated(small: Reviewed, tmp_path: Path) -> None:
    origin = repository(small, tmp_path)
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(small.folder, "rev-parse", "HEAD"), "PROJECT_TOKEN": "token",
                 "CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "1",
                 "CI_MERGE_REQUEST_IID": "7", "MARKER": MARKER}  # fmt: skip
    runner = Runner(tmp_path, origin, variables)
    git(small.folder, "switch", "-qc", "change")
    small.follow(small_site(sg_cut_in="number"), "r2")
    push(small, "a conversion")
    assert gitlab(runner, "shotgrid-review", "change") == 1
    path = small.revision("r2")
    path.write_text(path.read_text() + "\n# sg-migrate: allow SGM201 -- the texts were checked\n")
    push(small, "allowed")
    assert gitlab(runner, "shotgrid-review", "change") == 0
    (note,) = comments(runner)
    assert "`the texts were checked`" in note


def test_gitlab_pushes_one_merge_request(small: Reviewed, tmp_path: Path) -> None:
    origin = repository(small, tmp_path)
    with LocalSite(small_site(sg_new="date")) as site:
        variables = {**site.environment, "PROJECT_TOKEN": "token", "CI_SERVER_HOST": "gitlab.example",
                     "CI_PROJECT_PATH": "studio/warehouse", "CI_DEFAULT_BRANCH": "main"}  # fmt: skip
        runner = Runner(tmp_path, origin, variables)
        address = "https://oauth2:token@gitlab.example/studio/warehouse.git"
        (tmp_path / "gitconfig").write_text(f'[url "{origin}"]\n    insteadOf = {address}\n')
        for _ in range(2):
            assert gitlab(runner, "shotgrid-weekly", "main") == 0
            assert added(origin) == ["migrations/site_schema.json", "migrations/versions/*"]


def gitlab(runner: Runner, job: str, branch: str) -> int:
    """Run a job's script as GitLab's runner would; returns its exit code."""
    document = load("gitlab.yml")
    lines = [*document[".sg-migrate"]["before_script"], *document[job]["script"]]
    clone = runner.clone(branch)
    return runner.shell("\n".join(lines), clone, runner.environment())
