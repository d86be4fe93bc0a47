"""Start a child process that cannot outlive this one, watch it, and stop it.

Three ways for the whole to end, and what each must do:

* Ctrl-C reaches the whole process group of the terminal. Children are started with SIGINT
  blocked, so that they end in the supervisor's order and not all at once.
* A kill of the group reaches every child that stays in it. One that handles SIGINT whatever
  its mask says (PostgreSQL) gets a group of its own, and ends by the next point.
* A kill of the supervisor alone: the kernel then sends each child its `orphan_signal`.
"""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
FIRST_RESTART_DELAY_S = 0.5
LONGEST_RESTART_DELAY_S = 15.0
STEADY_AFTER_S = 30.0  # a child that ran this long starts again without the delay it had earned


def die_with_parent(parent: int, sig: int) -> None:
    """Let the kernel send `sig` to this process when the thread that started it ends (Linux)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)
    if os.getppid() != parent:  # it ended between the fork and the call above
        os.kill(os.getpid(), sig)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int | None = None,
    orphan_signal: signal.Signals = signal.SIGTERM,
    own_group: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive this one. Its messages go to `output`, else to ours."""
    parent = os.getpid()

    def in_child() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        die_with_parent(parent, orphan_signal)

    return subprocess.Popen(  # noqa: S603 - a fixed command of ours
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output == subprocess.PIPE else output,
        env={**os.environ, **environment},
        preexec_fn=in_child,  # safe: whoever starts children here has one thread
        process_group=0 if own_group else None,
    )


@dataclass(kw_only=True)
class Child:
    """One supervised process: what to run, and how it is told to end.

    `before_start` runs before each start (it removes what a killed predecessor left).
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    before_start: Callable[[], None] = lambda: None
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    own_group: bool = False
    process: subprocess.Popen[bytes] | None = None
    _started_at_s: float = 0.0
    _restart_at_s: float | None = None
    _delay_s: float = FIRST_RESTART_DELAY_S

    def start(self) -> None:
        self.before_start()
        with contextlib.ExitStack() as stack:
            self.process = spawn(
                self.command,
                environment=self.environment,
                output=stack.enter_context(self.log.open("ab")) if self.log else None,
                orphan_signal=self.orphan_signal,
                own_group=self.own_group,
            )
        self._started_at_s = time.monotonic()
        self._restart_at_s = None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self) -> None:
        """Start it again if it ended, later each time it does not last."""
        if self.process is None or self.is_running():
            return
        now_s = time.monotonic()
        if self._restart_at_s is None:
            if now_s - self._started_at_s > STEADY_AFTER_S:
                self._delay_s = FIRST_RESTART_DELAY_S
            self._restart_at_s = now_s + self._delay_s
            logger.warning(
                "%s ended (%s); starting it again in %.1f s",
                self.name,
                ending(self.process.returncode),
                self._delay_s,
            )
            self._delay_s = min(self._delay_s * 2, LONGEST_RESTART_DELAY_S)
        elif now_s >= self._restart_at_s:
            self.start()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.is_running():
            self.process.send_signal(self.stop_signal)

    def wait_or_kill(self, timeout_s: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in %.1f s and was killed", self.name, timeout_s)
            self.process.kill()
            self.process.wait()


def stop_all(children: Iterable[Child], *, within_s: float) -> None:
    """Ask all of them at once, then give them `within_s` together."""
    stopping = list(children)
    for child in stopping:
        child.ask_to_stop()
    deadline_s = time.monotonic() + within_s
    for child in stopping:
        child.wait_or_kill(max(0.05, deadline_s - time.monotonic()))


def ending(returncode: int) -> str:
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"


def processes_in(directory: Path) -> list[int]:
    """Processes whose current directory is this one: a server's, after it moved into its data.

    Unlike a pid file this cannot be stale, nor name an unrelated process after a restart of
    the machine or the container. Empty where there is no /proc.
    """
    target = str(directory.resolve())
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((entry / "cwd").readlink()) == target:
                found.append(int(entry.name))
    return found


def end_leftovers(directory: Path, sig: signal.Signals, *, within_s: float) -> None:
    """End what an earlier, killed run left working in this directory: `sig`, then SIGKILL."""
    for step, patience_s in ((sig, within_s), (signal.SIGKILL, 10.0)):
        leftovers = processes_in(directory)
        if not leftovers:
            return
        for pid in leftovers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
        deadline_s = time.monotonic() + patience_s
        while processes_in(directory) and time.monotonic() < deadline_s:
            time.sleep(0.02)
