"""The demo on a virtual desktop: a scripted employee, a picture of each step, and the closing account."""

import re
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from resources import i18n
from resources.i18n import _
from tests.demo.account import Account, Share
from tests.support.employee import Employee
from tests.support.desktop import DesktopOptions, VirtualDesktop
from tests.support.processes import ROOT, TRACEBACK, AgentProcess, free_port
from tests.support.sample import SampleCompany, sample_media
from tests.support.waiting import OverdueError, until

if TYPE_CHECKING:
    from tests.demo.__main__ import DemoOptions

EMAIL = "lea.roux@northwind.example"
PICTURES = ROOT / "build" / "demo"
NOTES = ROOT / "tests" / "support" / "notes.py"
FIRST_PARAGRAPH = "Lyon studio, opening week\n\nMonday: keys at 8:00, coffee at 8:30.\nTuesday: "
WHILE_IT_APPEARS = "the film crew comes at ten; nobody stops typing for a pop-up.\n"
ALL_ON_CAMERA_S = 5.0


def run(options: "DemoOptions") -> int:
    """Runs the story from the empty desktop to the closing table."""
    began = time.monotonic()
    console = Console()
    i18n.use_language(options.language)
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    folder = Path(tempfile.mkdtemp(prefix="tidings-demo-"))
    try:
        with ExitStack() as running:
            running.callback(shutil.rmtree, folder, ignore_errors=True)
            return Story(options, folder, console, running).tell(began)
    except OverdueError:
        console.print("[red]Something did not happen.[/] The last picture shows what there was instead.")
        raise


class Story:
    """The parts, and the story that they play."""

    def __init__(
        self, options: "DemoOptions", folder: Path, console: Console, running: ExitStack
    ) -> None:
        self._console = console
        self._account = Account()
        self._folder = folder
        self._say("Making the sample company: Northwind, 40 people, a film, pictures")
        self._company = SampleCompany(folder / "server", free_port())
        self._company.make()
        sample_media()
        running.enter_context(self._company.serving())
        self._say(f"The server answers at {self._company.url}")
        scheme = "dark" if options.dark else "light"
        look = DesktopOptions(scheme=scheme, language=options.language, compositor=True, accessibility=True)
        self._desktop = running.enter_context(VirtualDesktop(look))
        self._employee = Employee(self._desktop, PICTURES)
        self._agent = running.enter_context(AgentProcess(self._desktop.env, folder))
        self._say("Léa's desktop is on: window manager, panel, keychain")

    def tell(self, began: float) -> int:
        """Plays all scenes and shows the account."""
        try:
            self._work()
            self._connect()
            self._choose()
            film = self._company.publish("lyon-studio")
            self._film_while_typing(film)
            self._watch_and_like(film)
            self._urgent_note(self._company.publish("vpn"))
            self._look_around()
        except OverdueError:
            self._employee.takes_picture_now("99-stopped-here")
            self._console.print(self._employee.describes(), highlight=False, markup=False)
            self._console.print(self._agent.logs(), highlight=False, markup=False)
            raise
        return self._close(began)

    # --- scenes --------------------------------------------------------------------------------------

    def _work(self) -> None:
        self._notes = self._folder / "notes.txt"
        self._desktop.start([sys.executable, NOTES, self._notes, "Notes"], "notes")
        self._desktop.screen.focus(self._desktop.screen.window("^Notes$"))
        self._employee.types(FIRST_PARAGRAPH, pause_ms=4)

    def _connect(self) -> None:
        code = self._company.home.invite(EMAIL)
        self._agent.start("run")
        self._desktop.tray_icon()
        self._employee.presses(_("Address"), "text")
        self._employee.types(self._company.url)
        self._employee.presses(_("Code"), "text")
        self._employee.types(code)
        picture = self._employee.takes_picture("01-connect")
        self._employee.presses(_("Connect"), "push button")
        self._note("typed the address and the code of her invitation", picture, reason="no signal: it connects")

    def _choose(self) -> None:
        self._employee.presses(_("Seen"), "check box|toggle button|push button|switch")
        self._employee.presses(_("Likes"), "check box|toggle button|push button|switch")
        picture = self._employee.takes_picture("02-choose")
        self._employee.presses(_("Save my choice"))
        self._note("switched on seen and likes, left clicks off", picture, reason="her consents, with receipts")

    def _film_while_typing(self, film: str) -> None:
        screen = self._desktop.screen
        screen.focus(screen.window("^Notes$"))
        typed = FIRST_PARAGRAPH
        until(lambda: screen.windows("^Tidings$"), "the pop-up", seconds=25)
        self._employee.types(WHILE_IT_APPEARS, pause_ms=8)
        typed += WHILE_IT_APPEARS
        picture = self._employee.takes_picture("03-pop-up")
        until(lambda: self._notes.read_text() == typed, "the typed text, whole")
        self._note("went on typing while the film's pop-up came", picture, reason="no key was lost")
        self._employee.stays_seen()
        self._note("had it before her eyes for 3 s", picture, Share("seen", film))

    def _watch_and_like(self, film: str) -> None:
        self._employee.presses(_("Watch"), "push button")
        self._employee.sees(_("Captions"), seconds=20)
        picture = self._employee.takes_picture_now("04-film")
        self._note("watched the film", picture, reason="clicks are off")
        self._employee.presses(_("Like"))
        picture = self._employee.takes_picture_now("05-liked")
        self._note("liked it", picture, Share("like", film, "1"))
