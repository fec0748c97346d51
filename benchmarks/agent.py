"""The agent on a virtual desktop beside a bare tray program and gotify-tray: memory, rest, start, and after a video."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import gotify
from benchmarks.process_use import Activity, activity, largest_mappings, memory_mb
from benchmarks.rows import Row
from benchmarks.tray_clock import seconds_to_icon
from tests.support.agent.processes import ROOT, AgentProcess
from tests.support.children import descendants
from tests.support.desktop.accessible import Accessibility
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ports import free_port
from tests.support.server.campaign_server import ServerHome
from tests.support.server.sample import SAMPLE, sample_media
from tests.support.waiting import until

PERSON = "lea.roux@northwind.example"
POLL_S = 60
CAMPAIGNS = 50
STARTS = 7
SETTLE_S = 20
SETTLE_AGENT_S = 75
"""Longer than a poll, so that what only the first ones do is over."""
PATIENCE_S = 30
BARE = "bare PySide6 tray"
BARE_TRAY = [sys.executable, str(Path(__file__).parent / "bare_tray.py")]

MEMORY_BY_GOTIFY = 0.9
PROCESSOR_PERCENT = 0.05
WAKEUPS_A_SECOND = 0.5
START_BY_BARE = 2.0
AFTER_VIDEO_MB = 5.0


class Company:
    """Northwind with 50 campaigns and agents that ask every 60 s."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.home = ServerHome(folder / "server")
        self.port = free_port()

    def make(self) -> None:
        """Makes the company, its people and the campaigns."""
        company = (SAMPLE / "company.toml").read_text()
        self.home.init(company.replace("[company]", f"[company]\npoll_interval_s = {POLL_S}", 1))
        self.home.succeed("people", "import", SAMPLE / "people.csv")
        self.home.succeed("campaign", "publish", *self._texts())

    def publish_video(self) -> None:
        """Publishes the sample video."""
        video = SAMPLE / "campaigns" / "lyon-studio.toml"
        self.home.succeed("campaign", "publish", video, "--media", sample_media())

    def _texts(self) -> list[Path]:
        """Campaign files of text for the inbox, each with its own title."""
        sample = (SAMPLE / "campaigns" / "canteen.toml").read_text()
        files = []
        for number in range(CAMPAIGNS):
            files.append(self._folder / f"text-{number}.toml")
            files[-1].write_text(sample.replace('title = "', f'title = "{number + 1}. '))
        return files


@contextmanager
def connected_agent(desktop: VirtualDesktop, folder: Path) -> Iterator[tuple[AgentProcess, Company]]:
    """A connected agent that does not run yet, and its company's running server."""
    company = Company(folder)
    company.make()
    with company.home.running("--port", str(company.port), "--requests-per-minute", "0") as server:
        agent = AgentProcess(desktop.env, folder)
        with agent:
            agent.enrol(server.url, company.home.invite(PERSON))
            yield agent, company


def run(idle_s: float) -> list[Row]:
    """All measurements of the agent; each idle one lasts `idle_s` seconds."""
    python = gotify.install()
    folder = Path(tempfile.mkdtemp(prefix="tidings-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        with VirtualDesktop() as desktop:
            # One after the other: none shall share a page with another.
            bare, bare_rest = rest_of_bare_tray(desktop, idle_s)
            with gotify.running(desktop, python) as program:
                time.sleep(SETTLE_S)
                other, other_rest = memory_mb(program.pid), activity(program.pid, idle_s)
            with connected_agent(desktop, folder / "rest") as (agent, _):
                first_day, own, own_rest = rest_of_agent(desktop, agent, idle_s)
                starts = compare_starts(desktop, agent)
        # A desktop with a screen reader's bus, by which the pop-up's button is found; it costs memory.
        desktop = stack.enter_context(VirtualDesktop(DesktopOptions(accessibility=True)))
        agent, company = stack.enter_context(connected_agent(desktop, folder / "video"))
        left = memory_left_by_video(desktop, agent, company)
    return [
        *memory_rows(own, first_day, bare, other),
        *rest_rows(own_rest, bare_rest, other_rest),
        start_row(*starts),
        video_row(left),
    ]


def rest_of_bare_tray(desktop: VirtualDesktop, idle_s: float) -> tuple[float, Activity]:
    """Memory in MB and activity of the bare tray program."""
    with desktop.start(BARE_TRAY, "bare-tray") as program:
        desktop.tray_icon()
        time.sleep(SETTLE_S)
        return memory_mb(program.pid), activity(program.pid, idle_s)


def rest_of_agent(
    desktop: VirtualDesktop, agent: AgentProcess, idle_s: float
) -> tuple[float, float, Activity]:
    """Memory in MB on the first day, memory in MB on every other, and activity then.

    On the first day the announcements have just come and the first question was on the screen. On every other the
    agent was started with the desktop, and there is nothing new.
    """
    first_day = memory_mb(start_agent(desktop, agent))
    stop_agent(agent)
    pid = agent.start("run", "--minimized").pid
    time.sleep(SETTLE_AGENT_S)
    memory, rest = memory_mb(pid), activity(pid, idle_s)
    largest = ", ".join(f"{name} {size:.1f}" for name, size in largest_mappings(pid).items())
    print(f"   where the agent's memory is, in MB: {largest}", flush=True)
    stop_agent(agent)
    return first_day, memory, rest


def memory_left_by_video(desktop: VirtualDesktop, agent: AgentProcess, company: Company) -> float:
    """MB that the agent has more of after a video was watched and closed, its pop-up too."""
    pid = start_agent(desktop, agent)
    time.sleep(SETTLE_S)
    before = memory_mb(pid)
    company.publish_video()
    watch_video(desktop, pid)
    time.sleep(SETTLE_S)
    left = memory_mb(pid) - before
    stop_agent(agent)
    return left


def start_agent(desktop: VirtualDesktop, agent: AgentProcess) -> int:
    """Starts it, waits until it has everything, and closes its first question. Returns its process id."""
    pid = agent.start("run", "--minimized").pid

    def received() -> bool:
        return bool(agent.status()["status"]["unread"] == CAMPAIGNS)

    until(received, f"{CAMPAIGNS} campaigns", PATIENCE_S, every=1)
    close_question(desktop)
    return pid


def stop_agent(agent: AgentProcess) -> None:
    """Ends it; what it wrote is shown if that went wrong."""
    code = agent.stop()
    assert code == 0, f"the agent ended with {code}:\n{agent.logs()}"


def close_question(desktop: VirtualDesktop) -> None:
    """Closes the first question, as a person does who answers later."""
    window = desktop.screen.window("Welcome", seconds=PATIENCE_S)
    desktop.screen.focus(window)
    desktop.screen.key("alt+F4")
    desktop.screen.gone("Welcome")


def watch_video(desktop: VirtualDesktop, pid: int) -> None:
    """Opens the video from its pop-up, sees it to its middle, and closes player and pop-up."""
    assert desktop.bus is not None
    widgets = Accessibility(desktop.bus)
    watch = widgets.wait_for("Watch", "push button", seconds=POLL_S + PATIENCE_S)
    desktop.screen.click(*watch.centre)
    player = until(lambda: desktop.screen.windows("Lyon"), "the player's window", PATIENCE_S)[-1]
    pictures: set[bytes] = set()

    def plays() -> bool:
        pictures.add(desktop.screen.image(player.box).tobytes())
        return len(pictures) >= 20

    until(plays, "the video to play", PATIENCE_S)
    desktop.screen.focus(player)
    desktop.screen.key("Escape")
    until(lambda: not descendants(pid), "the player's process to end", PATIENCE_S)
    for close in widgets.find("Close", "push button"):
        desktop.screen.click(*close.centre)


def compare_starts(desktop: VirtualDesktop, agent: AgentProcess) -> tuple[float, float]:
    """Seconds from the start to the icon in the tray, of the agent and of the bare tray: medians, taken in turns."""
    own, bare = [], []
    env = desktop.env | {"PYTHONPATH": str(ROOT)}
    for _ in range(STARTS + 1):
        bare.append(seconds_to_icon(desktop, BARE_TRAY, env))
        own.append(seconds_to_icon(desktop, [*agent.command, "run", "--minimized"], agent.env))
    # The first ones fill the caches.
    return statistics.median(own[1:]), statistics.median(bare[1:])


def memory_rows(own: float, first_day: float, bare: float, other: float) -> Sequence[Row]:
    """Memory at rest against both references."""
    what, target = "memory at rest", f"≤ {MEMORY_BY_GOTIFY:g} ×"
    limit = MEMORY_BY_GOTIFY * other
    return (
        Row("agent", what, own, "MB", target, own <= limit, other, gotify.NAME),
        Row("agent", f"{what}, first day", first_day, "MB", target, first_day <= limit, other, gotify.NAME),
        Row("agent", what, own, "MB", reference=bare, reference_name=BARE),
    )


def rest_rows(own: Activity, bare: Activity, other: Activity) -> Sequence[Row]:
    """Processor and wake-ups at rest."""
    processor = Row(
        "agent",
        "processor at rest",
        own.processor,
        "%",
        f"< {PROCESSOR_PERCENT} %",
        own.processor < PROCESSOR_PERCENT,
        other.processor,
        gotify.NAME,
    )
    wakeups = Row(
        "agent",
        "wake-ups at rest",
        own.wakeups,
        "/s",
        f"< {WAKEUPS_A_SECOND} /s",
        own.wakeups < WAKEUPS_A_SECOND,
        other.wakeups,
        gotify.NAME,
    )
    beside_bare = Row(
        "agent", "wake-ups at rest", own.wakeups, "/s", reference=bare.wakeups, reference_name=BARE
    )
    return (processor, wakeups, beside_bare)


def start_row(own: float, bare: float) -> Row:
    """Start to tray icon."""
    met = own <= START_BY_BARE * bare
    return Row("agent", "start to tray icon", own, "s", f"≤ {START_BY_BARE} ×", met, bare, BARE)


def video_row(left: float) -> Row:
    """Memory that a video leaves behind, pop-up included."""
    target = f"≤ {AFTER_VIDEO_MB:g} MB"
    return Row("agent", "memory left by a video", left, "MB", target, left <= AFTER_VIDEO_MB)
