"""A private Galera cluster of two MariaDB nodes for the tests, of which each can be killed and brought back.

with Cluster() as cluster:
    url = cluster.create_database()      # a database; cluster.urls(url) are its addresses on both nodes
    cluster.nodes[0].kill()
    cluster.nodes[0].start()             # it joins the other and catches up

A shell script holds each node, and a pipe of which the tests hold the other end: when that closes, however the tests
end, the node is gone. Both write into one folder, which goes with them.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from engines import _PATH, EngineFailedError, EngineMissingError, _account, _find_mariadb, _free_port, _place

START_TIMEOUT = 90.0
QUICK_FAILOVER = "evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT5S"

_PREPARE = """
set -eu
mariadb-install-db --no-defaults --datadir="$PWD/data" --skip-test-db --auth-root-authentication-method=normal \
    --tmpdir="$PWD" >&2
"""
_NODE = """
mariadbd --no-defaults --datadir="$PWD/data" --socket="$PWD/socket" --pid-file="$PWD/pid" --tmpdir="$PWD" \
    --bind-address=127.0.0.1 --port="$PORT" --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
    --loose-innodb-flush-method=nosync --debug-no-sync --innodb-flush-log-at-trx-commit=2 \
    --wsrep-on=ON --wsrep-provider="$PROVIDER" --wsrep-cluster-address="$ADDRESS" --wsrep-sst-method=rsync \
    --wsrep-node-address="127.0.0.1:$GROUP" --wsrep-sst-receive-address="127.0.0.1:$TRANSFER" \
    --wsrep-provider-options="$OPTIONS" $EXTRA >&2 &
echo $!
cat >/dev/null  # until the tests' end of the pipe closes
kill -9 $! 2>/dev/null
"""


def find_provider() -> Path:
    """Galera's library. Raises ``EngineMissingError`` where the machine has none, or no MariaDB."""
    _find_mariadb()
    for path in (Path("/usr/lib/galera/libgalera_smm.so"), Path("/usr/lib64/galera-4/libgalera_smm.so")):
        if path.exists():
            break
    else:
        raise EngineMissingError("no Galera found; on Debian: apt-get install galera-4")
    if shutil.which("rsync") is None:
        raise EngineMissingError("no rsync found, which brings a node up to date; on Debian: apt-get install rsync")
    return path


class Node:
    """One of the nodes; its folder, its ports, and its process while it runs."""

    def __init__(self, folder: Path, provider: Path, weight: int) -> None:
        self.folder, self._provider, self._weight = folder, provider, weight
        self.port, self.group, self._transfer, self._increment = (_free_port() for _ in range(4))
        self.address = ""
        self._guard: subprocess.Popen[bytes] | None = None
        self.pid = 0
        folder.mkdir()

    @property
    def url(self) -> sa.URL:
        """The node as its administrator reaches it."""
        return sa.URL.create("mariadb+pymysql", "root", host="127.0.0.1", port=self.port, database="",
                             query={"charset": "utf8mb4", "ssl_disabled": "true"})  # fmt: skip

    def _run(self, script: str, **environment: str) -> subprocess.Popen[bytes]:
        account = _account()
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self.folder,
                env=os.environ | {"PATH": f"{_find_mariadb()}:{_PATH}", **environment},
                user=account.pw_uid if account else None, group=account.pw_gid if account else None,
                extra_groups=[] if account else None, start_new_session=True,
            )  # fmt: skip

    def prepare(self) -> None:
        """Lay out the first node's data; the other gets its own from it."""
        process = self._run(_PREPARE)
        process.communicate()
        assert process.returncode == 0, self.log

    def start(self, *, first: bool = False) -> None:
        """Start, and wait until it takes statements. ``first`` makes a new cluster of it."""
        self.begin(first=first)
        deadline = time.monotonic() + START_TIMEOUT
        while not self.is_ready():
            if time.monotonic() > deadline or not self.is_running():
                raise EngineFailedError(f"a node of Galera did not start:\n{self.log[-4000:]}")
            time.sleep(0.1)

    def begin(self, *, first: bool = False) -> None:
        """Start, without waiting."""
        (self.folder / "data").mkdir(exist_ok=True)
        if account := _account():
            os.chown(self.folder / "data", account.pw_uid, account.pw_gid)
        options = [
            f"base_port={self.group}", f"gmcast.listen_addr=tcp://127.0.0.1:{self.group}",
            f"ist.recv_addr=127.0.0.1:{self._increment}", f"pc.weight={self._weight}", "pc.ignore_sb=true",
            "pc.recovery=false", QUICK_FAILOVER,
        ]  # fmt: skip
        self._guard = self._run(
            _NODE, PORT=str(self.port), GROUP=str(self.group), TRANSFER=str(self._transfer), ADDRESS=self.address,
            PROVIDER=str(self._provider), OPTIONS=";".join(options), EXTRA="--wsrep-new-cluster" if first else "",
        )  # fmt: skip
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())

    def is_running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def is_ready(self) -> bool:
        """Whether it takes statements: it has caught up, and belongs to the primary component."""
        try:
            return self.status("wsrep_ready") == "ON" and self.status("wsrep_local_state_comment") == "Synced"
        except sa.exc.OperationalError:
            return False

    def status(self, name: str) -> str:
        return str(self.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    def execute(self, *statements: str, database: str = "") -> list[Any]:
        """Run statements as the administrator; gives the rows of the last one."""
        engine = sa.create_engine(self.url.set(database=database), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        rows: list[Any] = []
        with engine.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
                rows = list(result) if result.returns_rows else []
        return rows

    def kill(self) -> None:
        """As a power cut ends it."""
        os.kill(self.pid, signal.SIGKILL)
        self.leave()

    def leave(self) -> None:
        """End the script that holds it."""
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None
        while self.is_running():
            time.sleep(0.02)

    @property
    def log(self) -> str:
        return (self.folder.parent / f"{self.folder.name}.log").read_text(errors="replace")


class Cluster:
    """Two nodes; a context manager. The first has more weight: it stays the primary component when the other goes."""

    def __init__(self) -> None:
        self._provider = find_provider()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Cluster:
        for attempt in (1, 2, 3):  # a port that is free now may be taken by somebody else a moment later
            try:
                self._start()
            except EngineFailedError:
                self._stop()
                if attempt == 3:
                    raise
            else:
                break
        return self

    def _start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sg_migrate-galera-", dir=_place()))
        self.folder.chmod(0o755)
        self.nodes = [Node(self.folder / f"node{number}", self._provider, 1) for number in (1, 2)]
        addresses = ",".join(f"127.0.0.1:{node.group}" for node in self.nodes)
        for node in self.nodes:
            node.address = f"gcomm://{addresses}"
        self.nodes[0].prepare()
        self.nodes[0].start(first=True)
        self.nodes[1].start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for node in self.nodes:
            node.leave()
        shutil.rmtree(self.folder)

    def create_database(self) -> list[str]:
        """An empty database; its address on either node."""
        name = f"test_{next(self._numbers)}"
        node = next(node for node in self.nodes if node.is_ready())
        node.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return [one.url.set(database=name).render_as_string(hide_password=False) for one in self.nodes]

    def running(self) -> Iterator[Node]:
        return (node for node in self.nodes if node.is_ready())
