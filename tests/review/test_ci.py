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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]
from click.testing import CliRunner
from reviewed import Reviewed, edit, small_site
from testsite import LocalSite

pytest_plugins = ["reviewfixtures"]

CI = Path(__file__).parent.parent.parent / "docs" / "ci"
BIN = Path(sys.executable).parent
MARKER = "<!-- sg-migrate review -->"
GITHUB = ["github-weekly.yml", "github-pull-request.yml", "github-upgrade.yml", "github-nightly.yml"]

GH = """
import json, os, pathlib, shutil, subprocess, sys
path = pathlib.Path(os.environ["GH_STATE"])
state = json.loads(path.read_text())
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
if words[:2] == ["pr", "list"]:
    if os.environ.get("RACE"):  # a person pushes while the job runs
        subprocess.run(os.environ["RACE"], shell=True, check=True)
    answer = [pull for pull in state["pulls"] if pull["head"] == option("--head") and "closed" not in pull]
    print(answer[0]["number"] if answer else "")
elif words[:2] == ["pr", "create"]:
    body = pathlib.Path(option("--body-file")).read_text()
    pull = {"number": 7 + len(state["pulls"]), "head": option("--head"), "title": option("--title"), "body": body}
    state["pulls"].append(pull)
elif words[:2] == ["pr", "close"]:
    pull = next(pull for pull in state["pulls"] if str(pull["number"]) == words[2])
    pull.update(closed=option("--comment"))
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
assert words[words.index("--header") + 1] == "PRIVATE-TOKEN: token"
method = words[words.index("--request") + 1] if "--request" in words else "GET"
forms = dict(word.split("=", 1) for before, word in zip(words, words[1:]) if before == "--form")
forms = {key: pathlib.Path(value[1:]).read_text() if value[:1] == "<" else value for key, value in forms.items()}
place = words[-1].split("/projects/1/")[1].split("?")[0].split("/")
if place == ["merge_requests"] and method == "GET":
    branch = words[-1].split("source_branch=")[1]
    print(json.dumps([{"iid": one["number"]} for one in state["pulls"]
                      if one["head"] == branch and "closed" not in one]))
elif place == ["merge_requests"]:
    state["pulls"].append({"number": 7 + len(state["pulls"]), "head": forms["source_branch"], "title": forms["title"],
                           "body": forms["description"]})
elif len(place) == 2:
    pull = next(one for one in state["pulls"] if str(one["number"]) == place[1])
    pull.update({"closed": pull["note"]} if forms.get("state_event") == "close"
                else {"title": forms["title"], "body": forms["description"]})
elif method == "GET":
    print(json.dumps(state["comments"]))
elif state["pulls"]:
    next(one for one in state["pulls"] if str(one["number"]) == place[1])["note"] = forms["body"]
elif method == "POST":
    state["comments"].append({"id": 100 + len(state["comments"]), "body": forms["body"]})
else:
    next(c for c in state["comments"] if place[-1] == str(c["id"]))["body"] = forms["body"]
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
    (made.folder / "ci").mkdir()
    shutil.copy(CI / "weekly.sh", made.folder / "ci" / "shotgrid-weekly.sh")
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
    [*((name, "vendor.github-workflows") for name in GITHUB), ("gitlab.yml", "vendor.gitlab-ci")],
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
    assert holding == ["Keep one pull request with what changed on the site"]
    assert "SG_API_KEY" not in json.dumps(job.get("env", {}))


def test_a_pull_request_gets_no_secret_and_can_write_comments_only() -> None:
    document = load("github-pull-request.yml")
    assert set(document["on"]) == {"pull_request"}
    assert document["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "secrets." not in (CI / "github-pull-request.yml").read_text()


@pytest.mark.parametrize("name", GITHUB)
def test_no_expression_stands_inside_a_script(name: str) -> None:
    """What others can name (a branch, a title) must never become a part of a shell's text."""
    (job,) = load(name)["jobs"].values()
    assert not [step["name"] for step in job["steps"] if "${{" in step.get("run", "")]


# --- run


class Weekly:
    """The weekly job on one of the forges, run by the text of its recipe on a clone of a real remote."""

    def __init__(self, forge: str, made: Reviewed, folder: Path, site: LocalSite) -> None:
        self.forge = forge
        self.origin = repository(made, folder)
        self.site = site
        if forge == "github":
            given = {"vars.SG_URL": site.url, "secrets.SG_SCRIPT": site.script, "secrets.SG_API_KEY": site.api_key,
                     "github.token": "t", "github.event.repository.default_branch": "main"}  # fmt: skip
            self.runner = Runner(folder, self.origin, {}, given)
            return
        given = {**site.environment, "PROJECT_TOKEN": "token", "CI_SERVER_HOST": "gitlab.example", "GITLAB_CI": "true",
                 "CI_PROJECT_PATH": "studio/warehouse", "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": "1",
                 "CI_API_V4_URL": "https://gitlab.example/api/v4", "BASE": "main"}  # fmt: skip
        self.runner = Runner(folder, self.origin, given)
        address = "https://oauth2:token@gitlab.example/studio/warehouse.git"
        (folder / "gitconfig").write_text(f'[url "{self.origin}"]\n    insteadOf = {address}\n')

    def monday(self, **types: str) -> bool:
        """The job, when the site has these data types in Shot; whether it succeeded."""
        self.site.schema = small_site(**types)
        if self.forge == "github":
            return self.runner.run("github-weekly.yml", "main") == []
        return gitlab(self.runner, "shotgrid-weekly", "main") == 0

    @property
    def pulls(self) -> list[dict[str, Any]]:
        pulls: list[dict[str, Any]] = self.runner.remembered["pulls"]
        return pulls

    @property
    def tip(self) -> str:
        return git(self.origin, "rev-parse", "shotgrid-schema")

    @property
    def added(self) -> list[str]:
        """What the branch changes, the ids of revisions aside."""
        names = git(self.origin, "diff", "--name-only", "main...shotgrid-schema").splitlines()
        return [re.sub(r"versions/.*", "versions/*", name) for name in names]

    def person(self, branch: str, change: Callable[[Path], None], message: str) -> str:
        """A person's commit on a branch."""
        folder = self.runner.folder / "person"
        shutil.rmtree(folder, ignore_errors=True)
        git(self.runner.folder, "clone", "-q", "--branch", branch, str(self.origin), str(folder))
        change(folder)
        sha = commit(folder, message)
        git(folder, "push", "-q", "origin", branch)
        return sha


@pytest.fixture(params=["github", "gitlab"])
def weekly(request: pytest.FixtureRequest, small: Reviewed, tmp_path: Path) -> Iterator[Weekly]:
    with LocalSite(small_site()) as site:
        yield Weekly(request.param, small, tmp_path, site)


ONE = ["migrations/site_events.jsonl", "migrations/site_schema.json", "migrations/versions/*"]
TWO = [*ONE, "migrations/versions/*"]


def annotate(folder: Path) -> None:
    """A person reads the revision and allows something in it."""
    (path,) = (path for path in (folder / "migrations" / "versions").glob("*.py") if not path.name.startswith("r1"))
    path.write_text(path.read_text() + "\n# sg-migrate: allow SGM201 -- read by Ann\n")


def test_the_weekly_job_keeps_one_pull_request_and_a_persons_commits(weekly: Weekly) -> None:
    assert weekly.monday()
    assert weekly.pulls == []

    assert weekly.monday(sg_new="date")
    (pull,) = weekly.pulls
    assert pull["title"] == "The site's schema changed"
    assert "`Shot.sg_new added`" in pull["body"]
    assert weekly.added == ONE
    first = weekly.tip

    assert weekly.monday(sg_new="date")  # nothing new: the same commit, the same pull request
    assert (weekly.tip, len(weekly.pulls)) == (first, 1)

    assert weekly.monday(sg_new="date", sg_cut_in="number")  # the job's own branch: one revision of it all
    (pull,) = weekly.pulls
    assert "SGM201" in pull["body"]
    assert weekly.added == ONE

    theirs = weekly.person("shotgrid-schema", annotate, "Allowed, with the reason")
    assert weekly.monday(sg_new="date", sg_cut_in="number")
    assert weekly.tip == theirs

    assert weekly.monday(sg_new="date", sg_cut_in="number", sg_more="text")
    assert theirs in git(weekly.origin, "log", "--format=%H", "shotgrid-schema").split()
    assert weekly.added == TWO
    (pull,) = weekly.pulls
    assert "read by Ann" in pull["body"]
    assert "sg_more" in pull["body"]

    before = weekly.tip
    assert weekly.monday()  # the site took it all back
    (pull,) = weekly.pulls
    assert "took the change back" in pull["closed"]
    assert weekly.tip == before


def test_the_weekly_job_does_not_write_over_who_pushes_while_it_runs(small: Reviewed, tmp_path: Path) -> None:
    with LocalSite(small_site()) as site:
        outrun(Weekly("github", small, tmp_path, site))


def outrun(weekly: Weekly) -> None:
    """Both forges run the same lines here; the stand-in for gh is the one that lets a person push meanwhile."""
    assert weekly.monday(sg_new="date")
    folder = weekly.runner.folder / "person"
    git(weekly.runner.folder, "clone", "-q", "--branch", "shotgrid-schema", str(weekly.origin), str(folder))
    annotate(folder)
    theirs = commit(folder, "read by Ann")
    weekly.runner.variables["RACE"] = f"git -C {folder} push -q origin shotgrid-schema"
    assert not weekly.monday(sg_new="date", sg_cut_in="number")
    assert weekly.tip == theirs


def test_the_weekly_job_begins_anew_where_the_main_branch_moved(weekly: Weekly) -> None:
    assert weekly.monday(sg_new="date")

    def revise(folder: Path) -> None:
        other = Reviewed.at(folder, f"sqlite:///{folder}/warehouse.db")
        other.take(small_site(sg_other="text"))
        other.sg_migrate("revision", "--rev-id", "r2")

    weekly.person("main", revise, "another revision was merged first")
    assert weekly.monday(sg_new="date", sg_other="text")
    assert weekly.added == ONE
    clone = weekly.runner.clone("shotgrid-schema")
    assert len(Reviewed.at(clone, "sqlite://").project().scripts.get_heads()) == 1


def test_the_weekly_job_fails_where_the_site_refuses(weekly: Weekly) -> None:
    weekly.runner.expressions["secrets.SG_API_KEY"] = weekly.runner.variables["SG_API_KEY"] = "wrong"
    assert not weekly.monday(sg_new="date")
    assert weekly.pulls == []


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_after_the_merge_the_warehouse_is_upgraded(small: Reviewed, tmp_path: Path, forge: str) -> None:
    small.configure(carry_inline_rows="0")
    small.upgrade()
    small.execute("INSERT INTO shot (id, sg_cut_in) VALUES (1, '12'), (2, 'x')")
    small.follow(small_site(sg_cut_in="number"), "r2")
    origin = repository(small, tmp_path)
    if forge == "github":
        runner = Runner(tmp_path, origin, {}, {"secrets.DATABASE_URL": small.url})
        runner.variables["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
        assert runner.run("github-upgrade.yml", "main") == []
        assert "SGM201" in (tmp_path / "summary.md").read_text()
        runner.expressions["secrets.DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:9/none"
        assert runner.run("github-upgrade.yml", "main") == ["Say what is pending, with the warehouse's own numbers"]
    else:
        runner = Runner(tmp_path, origin, {"DATABASE_URL": small.url})
        assert gitlab(runner, "shotgrid-upgrade", "main") == 0
    assert small.rows("SELECT sg_cut_in, sg_cut_in__was_text FROM shot ORDER BY id") == [(12, "12"), (None, "x")]


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_nightly_check_is_red_when_the_warehouse_cannot_be_reached(
    small: Reviewed, tmp_path: Path, forge: str
) -> None:
    small.upgrade()
    origin = repository(small, tmp_path)

    def night(site: LocalSite, url: str) -> bool:
        if forge == "github":
            given = {"vars.SG_URL": site.url, "secrets.SG_SCRIPT": site.script, "secrets.SG_API_KEY": site.api_key,
                     "secrets.DATABASE_URL": url}  # fmt: skip
            runner.expressions.update(given)
            return runner.run("github-nightly.yml", "main") == []
        runner.variables.update({**site.environment, "DATABASE_URL": url})
        return gitlab(runner, "shotgrid-nightly", "main") == 0

    runner = Runner(tmp_path, origin, {})
    with LocalSite(small_site()) as site:
        assert night(site, small.url)
        site.schema = small_site(sg_new="date")  # changed since Monday: no failure
        assert night(site, small.url)
        assert not night(site, "postgresql+psycopg://nobody@127.0.0.1:9/none")


def test_the_review_is_one_comment_that_is_updated(small: Reviewed, tmp_path: Path) -> None:
    origin = repository(small, tmp_path)
    base = git(small.folder, "rev-parse", "HEAD")
    expressions = {"github.event.pull_request.base.sha": base, "github.event.pull_request.number": "7",
                   "github.token": "t"}  # fmt: skip
    runner = Runner(tmp_path, origin, {}, expressions)
    git(small.folder, "switch", "-qc", "change")

    small.follow(small_site(sg_cut_in="number"), "r2")
    push(small, "a conversion")
    edit(small.revision("r2"), "def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('SELECT 1')")
    push(small, "and a text")
    assert runner.run("github-pull-request.yml", "change") == ["Verdict"]
    mine = comments(runner)
    assert len(mine) == 1
    assert "SGM105" in mine[0]
    assert "migrations/versions/r2_r2.py" in mine[0]

    path = small.revision("r2")
    path.write_text(path.read_text() + "\n# sg-migrate: allow SGM105 -- the texts were checked\n")
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
    edit(small.revision("r2"), "def upgrade() -> None:", "def upgrade() -> None:\n    op.execute('SELECT 1')")
    push(small, "a conversion")
    assert gitlab(runner, "shotgrid-review", "change") == 1
    path = small.revision("r2")
    path.write_text(path.read_text() + "\n# sg-migrate: allow SGM105 -- the texts were checked\n")
    push(small, "allowed")
    assert gitlab(runner, "shotgrid-review", "change") == 0
    (note,) = comments(runner)
    assert "`the texts were checked`" in note


def gitlab(runner: Runner, job: str, branch: str) -> int:
    """Run a job's script as GitLab's runner would; returns its exit code."""
    document = load("gitlab.yml")
    lines = [*document[".sg-migrate"]["before_script"], *document[job]["script"]]
    clone = runner.clone(branch)
    return runner.shell("\n".join(lines), clone, runner.environment())
