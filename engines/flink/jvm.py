"""How the Java processes are started: memory, options, and the configuration that Flink reads.

Memory is small, for a machine that others use too: about 0.9 GB for a JobManager, 1.7 GB for a TaskManager, 0.6 GB for
a job server. Flink's own scripts work the same figures out from one size; the package on PyPI has no scripts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MODULES: Final = ("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent")
_OPENS: Final = [
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _MODULES),
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
]
"""What Flink and Beam reach into of Java's own modules, which is closed since Java 17."""
_SMALL: Final = ["-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]


@dataclass(frozen=True)
class Memory:
    """Bounds of a Java process, in MiB."""

    heap: int
    direct: int
    metaspace: int


JOB_MANAGER: Final = Memory(heap=448, direct=128, metaspace=256)
TASK_MANAGER: Final = Memory(heap=512, direct=384, metaspace=384)
JOB_SERVER: Final = Memory(heap=384, direct=128, metaspace=128)
_FRAMEWORK_HEAP, _FRAMEWORK_DIRECT, _NETWORK, _MANAGED, _OVERHEAD = 128, 128, 128, 256, 192


def java(memory: Memory) -> list[str]:
    """The command `java` with its options."""
    bounds = [f"-Xmx{memory.heap}m", f"-XX:MaxDirectMemorySize={memory.direct}m"]
    return ["java", *bounds, f"-XX:MaxMetaspaceSize={memory.metaspace}m", *_SMALL, *_OPENS]


def logging_to(log: Path, conf: Path) -> list[str]:
    """Options of Java by which Flink logs as `conf` says, and its page finds the log."""
    return [f"-Dlog.file={log}", f"-Dlog4j.configurationFile={conf / 'log4j2.properties'}"]


def write_conf(conf: Path, rpc: int, rest: int, slots: int) -> None:
    """Write what the JobManager and the TaskManagers read, in a directory of their own."""
    home, host = conf.parent, "127.0.0.1"
    settings: dict[str, object] = {
        "jobmanager.rpc.address": host,
        "jobmanager.rpc.port": rpc,
        "jobmanager.bind-host": host,
        "rest.address": host,
        "rest.bind-address": host,
        "rest.port": rest,
        "taskmanager.host": host,
        "taskmanager.bind-host": host,
        "taskmanager.numberOfTaskSlots": slots,
        "taskmanager.cpu.cores": float(slots),
        "io.tmp.dirs": home / "tmp",
        # Beam stands on the class path of each process: what a job ships of it besides is not loaded a second time.
        "classloader.resolve-order": "parent-first",
        # Beam's option --number_of_execution_retries has no effect on the batch jobs of Flink 1.19.
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 3,
        "restart-strategy.fixed-delay.delay": "3 s",
        # In milliseconds: a machine that is gone is noticed after seconds, not after a minute.
        "heartbeat.interval": 1000,
        "heartbeat.timeout": 20_000,
        **_task_manager_memory(),
    }
    (conf / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    (conf / "log4j2.properties").write_text(_LOG4J)


def _task_manager_memory() -> Mapping[str, str]:
    """A TaskManager is told each of its shares, and that they are what the bounds of its process leave for them."""
    shares = {
        "framework.heap.size": _FRAMEWORK_HEAP,
        "task.heap.size": TASK_MANAGER.heap - _FRAMEWORK_HEAP,
        "framework.off-heap.size": _FRAMEWORK_DIRECT,
        "task.off-heap.size": TASK_MANAGER.direct - _FRAMEWORK_DIRECT - _NETWORK,
        "network.min": _NETWORK,
        "network.max": _NETWORK,
        "managed.size": _MANAGED,
        "jvm-metaspace.size": TASK_MANAGER.metaspace,
        "jvm-overhead.min": _OVERHEAD,
        "jvm-overhead.max": _OVERHEAD,
    }
    return {f"taskmanager.memory.{name}": f"{size}m" for name, size in shares.items()}


_LOG4J: Final = """rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} %m%n
"""
