"""The demo on the person's own screen: server and agent run until Ctrl-C, then nothing of them is left."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.demo.console_pages import links
from tests.support.agent.processes import ROOT, AgentProcess
from tests.support.ports import free_port
from tests.support.server.console import RunningConsole, running_console
from tests.support.server.sample import SAMPLE, SampleCompany, sample_media

if TYPE_CHECKING:
    from tests.demo.__main__ import DemoOptions

EMPLOYEE = "lea.roux@northwind.example"
FOLDER = ROOT / "build" / "demo-live"
FIRST_CAMPAIGNS = ("lyon-studio", "vpn", "open-days")


def run(options: "DemoOptions") -> int:
    """Runs until Ctrl-C, or until the agent is quit from its menu."""
    console = Console()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with ExitStack() as running:
        console.print("Making the sample company …")
        company = SampleCompany(FOLDER / "server", free_port())
        company.make()
        mails = company.sends_mail()
        sample_media()
        running.enter_context(company.serving())
        env = dict(os.environ) | {"TIDINGS_LANGUAGE": options.language}
        agent = AgentProcess(env, FOLDER)
        running.callback(forget, agent, console)
        connected = connect(agent, company)
        child = agent.start("run")
        for name in FIRST_CAMPAIGNS:
            company.publish(name)
        pages = running.enter_context(running_console(company.home))
        tell(console, company, connected, pages)
        console.print(f"What the server sends by mail lies in {mails.relative_to(ROOT)}.")
        try:
            code = child.wait(None)
        except KeyboardInterrupt:
            console.print("\nEnding …")
            return 0
        console.print("The agent was quit." if code == 0 else f"The agent ended with {code}:\n{agent.logs()}")
        return 0 if code == 0 else 1


def connect(agent: AgentProcess, company: SampleCompany) -> str:
    """Connects the agent, or gives the code to type where this desktop has no keychain to keep a token in."""
    code = company.home.invite(EMPLOYEE)
    done = agent.run("enrol", company.url, "-", stdin=f"{code}\n", code=None)
    return "" if done.returncode == 0 else code


def tell(console: Console, company: SampleCompany, code: str, pages: RunningConsole) -> None:
    """What is where, and what to try."""
    server = f"{Path('.venv/bin/tidings-server')} --data {company.home.folder.relative_to(ROOT)}"
    console.print(f"\nThe server of Northwind answers at {company.url}")
    console.print(f"You are {EMPLOYEE}: look for the icon in your tray. Pop-ups come within 10 s.")
    if code:
        console.print(f"This desktop has no keychain: connect with the address above and the code {code}")
    console.print("\nAll reports, and one of them:", style="bold")
    console.print(f"  {server} report\n  {server} report ID", soft_wrap=True)
    console.print("Publish another announcement:", style="bold")
    canteen = (SAMPLE / "campaigns" / "canteen.toml").relative_to(ROOT)
    console.print(f"  {server} campaign publish {canteen}", soft_wrap=True)
    console.print(
        f"\nThe company's console is at {pages.url}. Each link lets one person in, once:", style="bold"
    )
    for role, link in links(pages).items():
        console.print(f"  {role:12} {link}", soft_wrap=True)
    console.print("\nCtrl-C ends all of it.")


def forget(agent: AgentProcess, console: Console) -> None:
    """Ends the agent and removes what it left on this computer, the keychain's entry included."""
    agent.stop()
    done = agent.run("purge", "--yes", code=None)
    console.print(done.stdout.strip() or done.stderr.strip())
