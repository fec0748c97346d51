"""The demo on a virtual desktop: a scripted employee, a picture of each step, and the closing account."""

import re
import shutil
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from resources import i18n
from resources.i18n import _, ngettext
from tests.demo.account import Account, Share
from tests.demo.console_pages import ConsoleTour
from tests.support.agent.processes import ROOT, TRACEBACK, AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ports import free_port
from tests.support.server.sample import SAMPLE, SampleCompany, sample_media
from tests.support.waiting import OverdueError, until

if TYPE_CHECKING:
    from tests.demo.__main__ import DemoOptions

EMAIL = "lea.roux@northwind.example"
PICTURES = ROOT / "build" / "demo"
NOTES = ROOT / "tests" / "support" / "desktop" / "notes.py"
FIRST_PARAGRAPH = "Lyon studio, opening week\n\nMonday: keys at 8:00, coffee at 8:30.\nTuesday: "
WHILE_IT_APPEARS = "the video crew comes at ten; nobody stops typing for a pop-up.\n"
POP_UP_PICTURE = "03-pop-up.png"
RECEIPTS = 4
"""Three consents and one withdrawal."""
SWITCH = "check box"
BUTTON = "push button"


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

    def __init__(self, options: "DemoOptions", folder: Path, console: Console, running: ExitStack) -> None:
        self._console = console
        self._account = Account()
        self._folder = folder
        self._language, self._dark = options.language, options.dark
        look = DesktopOptions(
            width=1920,
            height=1080,
            scheme="dark" if options.dark else "light",
            language=options.language,
            compositor=True,
            accessibility=True,
        )
        self._company = SampleCompany(folder / "server", free_port())
        with ThreadPoolExecutor() as meanwhile:
            self._say("Making the sample company: Northwind, 40 people, a video, pictures")
            code = meanwhile.submit(self._make_company)
            self._desktop = running.enter_context(VirtualDesktop(look))
            self._employee = Employee(self._desktop, PICTURES)
            self._agent = running.enter_context(AgentProcess(self._desktop.env, folder))
            self._say("Léa's desktop is on: window manager, panel, keychain")
            self._code = code.result()
        self._mails = self._company.sends_mail()
        running.enter_context(self._company.serving())
        self._say(f"The server answers at {self._company.url}")

    def _make_company(self) -> str:
        """Makes the company and its media, and gives an invitation's code."""
        self._company.make()
        sample_media()
        return self._company.home.invite(EMAIL)

    def tell(self, began: float) -> int:
        """Plays all scenes and shows the account."""
        try:
            self._work()
            self._connect()
            self._choose()
            _canteen, video = self._company.publish_all("canteen", "lyon-studio")
            self._video_while_typing(video)
            self._start_the_video()
            note, days = self._company.publish_all("vpn", "open-days")
            self._watch_and_like(video)
            self._press_while_off(note)
            self._change_and_press(days)
            self._look_around()
            self._take_back()
            self._look_from_the_company(video)
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
        self._agent.start("run")
        self._desktop.tray_icon()
        self._employee.presses(_("Address"), "text")
        self._employee.types(self._company.url)
        self._employee.presses(_("Code"), "text")
        self._employee.types(self._code)
        picture = self._employee.takes_picture("01-connect")
        self._employee.presses(_("Connect"), BUTTON)
        self._employee.sees(_("Save my choice"), BUTTON)
        self._note(
            "typed the address and the code of her invitation", picture, reason="but the code, for a token"
        )

    def _choose(self) -> None:
        self._employee.presses(_("Seen"), SWITCH)
        self._employee.presses(_("Likes"), SWITCH)
        picture = self._employee.takes_picture("02-choose")
        self._employee.takes_detail("choose", _("Welcome"))
        self._employee.presses(_("Save my choice"), BUTTON)
        given = [Share("consent given", detail=signal) for signal in ("seen", "like")]
        self._note("switched on seen and likes, left clicks off", picture, *given)

    def _video_while_typing(self, video: str) -> None:
        screen = self._desktop.screen
        screen.focus(screen.window("^Notes$"))
        typed = FIRST_PARAGRAPH
        until(lambda: screen.windows("^Tidings$"), "the pop-up")
        self._employee.types(WHILE_IT_APPEARS, pause_ms=8)
        typed += WHILE_IT_APPEARS
        picture = self._employee.takes_picture(POP_UP_PICTURE.removesuffix(".png"))
        self._employee.takes_detail("popup", "^Tidings$")
        until(lambda: self._notes.read_text() == typed, "the typed text, whole")
        self._note("went on typing while the video's pop-up came", picture, reason="no key was lost")
        self._employee.stays_seen()
        self._note("had it before her eyes for 3 s", picture, Share("seen", video))

    def _start_the_video(self) -> None:
        self._employee.presses(_("Watch"), BUTTON)
        self._employee.sees(_("Captions"))

    def _watch_and_like(self, video: str) -> None:
        picture = self._employee.takes_picture_now("04-video")
        self._employee.takes_detail("player", re.escape(self._text("lyon-studio")["title"]))
        self._note("watched the video, muted, with captions", picture, reason="clicks are off")
        self._employee.presses(_("Like"))
        self._employee.sees(_("Liked"))
        picture = self._employee.takes_picture_now("05-liked")
        self._note("liked it", picture, Share("like", video, "1"))
        self._desktop.screen.key("Escape")

    def _press_while_off(self, note: str) -> None:
        self._employee.sees(re.escape(self._text("vpn")["title"]))
        self._employee.stays_seen()
        picture = self._employee.takes_picture("06-urgent")
        self._note("had an urgent note before her eyes for 3 s", picture, Share("seen", note))
        self._employee.presses(_("I have read this"), BUTTON)
        question = self._employee.takes_picture("06-what-is-sent")
        self._employee.presses(_("Confirm"), BUTTON)
        self._employee.sees(re.escape(_("You confirmed on {date}")).replace(r"\{date\}", ".*"))
        self._note("confirmed that she has read it", question, Share("confirmed as read, by name", note))
        self._employee.presses(self._text("vpn")["links"][0]["label"], BUTTON)
        until(self._desktop.opened_links.exists, "the browser")
        self._note("pressed its button: her browser opened the page", picture, reason="clicks are off")

    def _change_and_press(self, days: str) -> None:
        self._employee.sees(re.escape(self._text("open-days")["title"]))
        self._employee.stays_seen()
        picture = self._employee.takes_picture("07-picture")
        self._note("had a picture before her eyes for 3 s", picture, Share("seen", days))
        self._employee.presses(_("Change"), BUTTON)
        self._employee.presses(_("Clicks"), SWITCH)
        picture = self._employee.takes_picture("08-change")
        self._desktop.screen.key("Escape")
        self._note("changed her mind: clicks too", picture, Share("consent given", detail="click"))
        self._employee.presses(self._text("open-days")["links"][0]["label"], BUTTON)
        picture = self._employee.takes_picture("09-clicked")
        self._note("pressed its button", picture, Share("click", days, "l1"))

    def _look_around(self) -> None:
        self._employee.clicks_tray_icon("right")
        picture = self._employee.takes_picture("10-menu")
        self._desktop.screen.key("Escape")
        self._note("looked at the tray's menu", picture)
        self._employee.clicks_tray_icon()
        self._employee.presses(f".*{re.escape(self._text('canteen')['title'])}.*", "list item")
        picture = self._employee.takes_picture("11-inbox")
        self._note("read a silent announcement in the inbox", picture)
        self._employee.presses(f".*{re.escape(self._text('lyon-studio')['title'])}.*", "list item")
        self._note("found the video again", self._employee.takes_picture("12-video-again"))
        self._employee.takes_detail("inbox", _("Inbox"))

    def _take_back(self) -> None:
        self._employee.presses(_("Change"), BUTTON)
        self._employee.presses(_("Clicks"), SWITCH)
        erased = ngettext(
            "Off. The server has deleted {count} entry.", "Off. The server has deleted {count} entries.", 1
        )
        self._employee.sees(re.escape(erased.format(count=1)))
        picture = self._employee.takes_picture("13-taken-back")
        self._employee.takes_detail("privacy", _("Privacy"))
        self._account.withdrawn.add("click")
        self._note(
            "took clicks back: the server deleted hers",
            picture,
            Share("consent withdrawn", detail="click"),
        )
        self._employee.presses(re.escape(_("See the {count} receipts").format(count=RECEIPTS)))
        self._employee.sees(re.escape(_("Save…")), BUTTON)
        self._note("read the receipt that the server signed", self._employee.takes_picture("14-receipt"))
        self._employee.takes_detail("receipt", f"^{re.escape(_('Receipts'))}")
        self._receipt = self._checked_receipt()

    def _look_from_the_company(self, video: str) -> None:
        tour = ConsoleTour(PICTURES, self._language, dark=self._dark)
        for picture in tour.go(self._company, video, self._mails, self._say, self._what_was_approved_comes):
            self._say(f"The console: {picture}")

    def _what_was_approved_comes(self, campaign: str, title: str) -> None:
        self._employee.sees(re.escape(title))
        self._employee.stays_seen()
        picture = self._employee.takes_picture("15-what-was-approved")
        self._note("had what Maya approved before her eyes for 3 s", picture, Share("seen", campaign))

    def _checked_receipt(self) -> str:
        """What `tidings receipt verify` says of the receipt that the agent keeps."""
        newest = self._agent.run("receipt", "list").stdout.splitlines()[0]
        file = self._folder / "receipt.json"
        self._agent.run("receipt", "save", newest.split()[0], str(file))
        return self._agent.run("receipt", "verify", str(file)).stdout

    # --- the end -------------------------------------------------------------------------------------

    def _close(self, began: float) -> int:
        until(lambda: self._agent.status()["status"]["waiting"] == 0, "the agent to have sent all")
        code = self._agent.stop()
        self._account.read_books(self._agent.database, self._company)
        self._account.show(self._console)
        self._console.print("tidings receipt verify receipt.json", style="bold")
        self._console.print(self._receipt, highlight=False, markup=False)
        wrong = self._account.discrepancies()
        if code != 0 or TRACEBACK in self._agent.logs():
            wrong.append(f"the agent ended with {code}:\n{self._agent.logs()}")
        for line in wrong:
            self._console.print(f"[red]✗[/] {line}", markup=True)
        took = time.monotonic() - began
        self._console.print(f"Pictures of each step: {PICTURES.relative_to(ROOT)}/. It took {took:.0f} s.")
        return 1 if wrong else 0

    def _text(self, campaign: str) -> dict[str, Any]:
        """A sample campaign in the employee's language."""
        content = tomllib.loads((SAMPLE / "campaigns" / f"{campaign}.toml").read_text(encoding="utf-8"))
        variant: dict[str, Any] = content["variants"][i18n.language()]
        return variant

    def _note(self, did: str, picture: str, *shares: Share, reason: str = "") -> None:
        self._say(f"Léa {did}")
        self._account.note(did, picture, *shares, reason=reason)

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{time.strftime('%H:%M:%S')}[/]  {text}", highlight=False)
