"""Set-up and everyday tasks, with the standard library alone: `python3 -m tasks --help`.

Works on Linux, Windows and macOS alike. On Debian and Ubuntu it also installs the system libraries needed.

Exit codes: 0 all went well, 1 the task ran and failed, 2 it could not start: the message says why.
"""

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from system_packages import SYSTEM_PACKAGES, installed_packages, needed_packages

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "tidings-setup"
OLDEST_PYTHON = (3, 11)
LOG = ROOT / "build" / "setup.log"
APT_LOCK_HELD = re.compile(r"Could not get lock .* held by process (?P<holder>.+)")
APT_LOCK_WAIT_S = 900
APT_LOCK_RETRY_S = 2
NGINX = ROOT / "build" / "nginx" / "usr" / "sbin" / "nginx"


class TaskError(Exception):
    """A task that cannot start. Its arguments: what is wrong in a few words, and what to do about it."""


def styled(text: str, code: str) -> str:
    """`text` in a terminal style, or as it is where the output is no terminal or NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def heading(text: str) -> None:
    """Announces a step, so that a long log can be read by its headings."""
    print(styled(f"\n── {text} ".ljust(78, "─"), "1;36"), flush=True)


def step(text: str, command: Sequence[str | Path]) -> None:
    """Runs a set-up command quietly; its output goes to build/setup.log and is shown only when it fails.

    While another program holds apt's lock, as unattended upgrades do on a fresh Ubuntu, it says which, and tries again: apt's
    own DPkg::Lock::Timeout does not wait for the lock of the package lists.

    Raises:
        TaskError: the command could not be run or failed.
    """
    print(f"   {text} …", end="", flush=True)
    started = time.monotonic()
    code, said = run_logged(command)
    holder = ""
    while code and (held := APT_LOCK_HELD.search(said)) and time.monotonic() - started < APT_LOCK_WAIT_S:
        if held["holder"] != holder:
            holder = held["holder"]
            print(f" waiting for process {holder}, which holds apt's lock …", end="", flush=True)
        time.sleep(APT_LOCK_RETRY_S)
        code, said = run_logged(command)
    if code:
        print(styled(" failed", "31"))
        tail = said.splitlines()[-25:]
        raise TaskError(f"{text}: failed", "\n".join([*tail, f"All of it is in {LOG.relative_to(ROOT)}."]))
    print(f" {time.monotonic() - started:.0f} s")


def run_logged(command: Sequence[str | Path]) -> tuple[int, str]:
    """The exit code of a command and what it said, which is in build/setup.log, too."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        log.flush()
        start = log.tell()
        code = subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return code, LOG.read_bytes()[start:].decode(errors="replace")


# --- System packages ---------------------------------------------------------------------------------


def install_system_packages(purpose: str) -> None:
    """Asks apt for the packages that are missing, and for nothing when none is.

    Raises:
        TaskError: packages are missing and this user may not install them, or apt failed.
    """
    if not shutil.which("dpkg-query"):
        if sys.platform == "linux":
            print("   Not Debian or Ubuntu: these are taken to be there, under Debian's names:")
            print(f"   {' '.join(SYSTEM_PACKAGES[purpose])}")
        return
    present = installed_packages()
    missing = sorted(name for name in needed_packages(purpose) if name not in present)
    if not missing:
        return
    privilege = apt_privilege()
    if privilege is None:
        raise TaskError(
            f"{len(missing)} system packages are missing",
            "Run this line, then the same task again:\n\n"
            f"    sudo apt-get update && sudo apt-get install --no-install-recommends {' '.join(missing)}\n",
        )
    environment = [*privilege, "env", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"]
    step("Debian's package lists", [*environment, "apt-get", "update"])
    install = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
    step(f"{len(missing)} Debian packages", [*environment, *install, *missing])


def unpack_nginx() -> None:
    """Unpacks Debian's nginx into build/nginx for the tests. Installed, it would start and serve on every address.

    Raises:
        TaskError: it could not be fetched.
    """
    if not shutil.which("dpkg-deb") or NGINX.exists():
        return
    folder = NGINX.parents[2]
    folder.mkdir(parents=True, exist_ok=True)
    fetch = f"cd {shlex.quote(str(folder))} && apt-get download nginx && dpkg-deb -x nginx_*.deb ."
    privilege = apt_privilege()
    update = "" if privilege is None else " ".join([*privilege, "env LC_ALL=C apt-get update"])
    again = f"{update} && {fetch}" if update else "false"
    step("nginx for the tests, not installed", ["sh", "-c", f"({fetch}) || ({again})"])


def apt_privilege() -> list[str] | None:
    """The words to put before apt-get: none for root, sudo where it asks for no password, else None."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def wanted_stamp() -> str:
    """What an up-to-date environment was made from."""
    version = ROOT / "agent" / "__init__.py"
    sources = (
        LOCK.read_bytes(),
        (ROOT / "pyproject.toml").read_bytes(),
        version.read_bytes(),
        sys.version.encode(),
    )
    return hashlib.sha256(b"".join(sources)).hexdigest()


def install_python_packages() -> None:
    """Makes .venv and installs the locked packages by hash, then the project itself, editable.

    Raises:
        TaskError: the environment could not be made.
    """
    if STAMP.exists() and PYTHON.exists() and STAMP.read_text() == wanted_stamp():
        return
    STAMP.unlink(missing_ok=True)
    if not venv_runs():
        step("Python environment in .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    step("Locked Python packages", [*pip, "--require-hashes", "-r", LOCK])
    step("Tidings itself, editable", [*pip, "--no-deps", "--no-build-isolation", "-e", ROOT])
    STAMP.write_text(wanted_stamp())


def venv_runs() -> bool:
    """Whether .venv works with this very Python: after a system upgrade it may not."""
    if not PYTHON.exists():
        return False
    version = (PYTHON, "-c", "import pip, sys; print(sys.version)")
    found = subprocess.run(version, capture_output=True, text=True, check=False)
    return found.stdout.strip() == sys.version


def compile_translations() -> None:
    """Compiles each gettext catalogue that is newer than its compiled form."""
    for source in sorted([*ROOT.glob("resources/locale/*/*/*.po"), *ROOT.glob("server/**/locale/*/*/*.po")]):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            name = source.relative_to(ROOT)
            babel = (PYTHON, "-m", "babel.messages.frontend", "compile", "-i", source, "-o", target)
            step(f"Translation {name}", babel)


def set_up(purpose: str) -> None:
    """All that a task needs; reuses what is there."""
    heading("Set-up")
    install_system_packages(purpose)
    if purpose == "test":
        unpack_nginx()
    install_python_packages()
    compile_translations()
    print("   ready", flush=True)


def run(*command: str) -> int:
    """Runs .venv's Python in the foreground and gives its exit code. Ctrl-C is for the child to handle."""
    child = subprocess.Popen([PYTHON, *command], cwd=ROOT)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def has_screen() -> bool:
    """Whether this session can show windows."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def demo(arguments: Sequence[str]) -> int:
    """Show the whole product at work: server, agent, employee."""
    set_up("run" if has_screen() and "--virtual" not in arguments else "desktop")
    return run("-m", "tests.demo", *arguments)


LINTERS = {
    "ruff check": ("-m", "ruff", "check"),
    "ruff format": ("-m", "ruff", "format", "--check"),
    "mypy": ("-m", "mypy"),
    "vulture": ("-m", "vulture"),
    "import-linter": ("-c", "import importlinter.cli as cli; cli.lint_imports_command()"),
}


def failed_linters(*beside: Sequence[str]) -> list[str]:
    """Runs every linter to its end, one on each core, and gives the names of those that found something.

    Args:
        beside: further commands to run meanwhile, the first of all; what they say is not shown.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as cores:
        for command in beside:
            cores.submit(run_apart, *command)
        runs = {name: cores.submit(run_apart, *command) for name, command in LINTERS.items()}
        failed = []
        for name, ended in runs.items():
            heading(name)
            code, said = ended.result()
            print(said, end="", flush=True)
            if code:
                failed.append(name)
    return failed


def run_apart(*command: str) -> tuple[int, str]:
    """The exit code of .venv's Python and what it said, for commands that run beside others."""
    done = subprocess.run(
        [PYTHON, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    )  # fmt: skip
    return done.returncode, done.stdout.decode(errors="replace")


COMPILE_TESTS = ("-m", "pytest", "--collect-only", "--quiet")
"""Pytest compiles the tests when it first sees them: once here, instead of once in each worker."""
DRAW_MEDIA = ("-c", "from tests.support.server.sample import sample_media; sample_media()")
"""The sample video, which all workers would draw that need it at their start."""


def lint(_arguments: Sequence[str]) -> int:
    """Style, types, dead code and import rules."""
    set_up("run")
    return 1 if failed_linters() else 0


def shared_out() -> list[str]:
    """To pytest: share files out among workers, in the order of tests/conftest.py.

    Most tests wait for a process that they started: one more at a time than there are cores.
    """
    workers = str((os.cpu_count() or 1) + 1)
    return ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]


def test(arguments: Sequence[str]) -> int:
    """Style, types, dead code, import rules and every test; further words go to pytest."""
    set_up("test")
    failed = failed_linters([*COMPILE_TESTS, *arguments], DRAW_MEDIA)
    heading("pytest")
    code = run("-m", "tests.support.suite", *shared_out(), *arguments)
    if failed:
        print(f"\nNot passed: {', '.join(failed)}. What they found is above, before the tests.", flush=True)
    return 1 if failed or code else 0


FAST = ("tests/unit/agent", "tests/unit/server", "tests/unit/ui", "tests/architecture")


def test_fast(arguments: Sequence[str]) -> int:
    """What needs no desktop, database server or other program: under a minute; further words go to pytest."""
    set_up("run")
    workers = str(os.cpu_count() or 1)
    return run("-m", "pytest", "-m", "not slow", "-n", workers, "--dist", "worksteal", *FAST, *arguments)


def coverage(arguments: Sequence[str]) -> int:
    """Which branches of consent, outbox, signals and reports tests reach; fails below a floor."""
    set_up("test")
    return run("-m", "tests.support.coverage_floors", *arguments)


def bench(arguments: Sequence[str]) -> int:
    """Measure the agent and the server against references measured in the same run."""
    set_up("bench")
    return run("-m", "benchmarks", *arguments)


def prove_privacy(arguments: Sequence[str]) -> int:
    """Try each privacy guarantee at its full count; the report is build/privacy-report.html."""
    set_up("test")
    return run("-m", "tests.support.prove", "privacy", *arguments)


def prove_reliability(arguments: Sequence[str]) -> int:
    """Try each guarantee of reliability at its full count; the report is build/reliability-report.html."""
    set_up("test")
    return run("-m", "tests.support.prove", "reliability", *arguments)


def prove_security(arguments: Sequence[str]) -> int:
    """Try each guarantee of security at its full count; the report is build/security-report.html."""
    set_up("test")
    return run("-m", "tests.support.prove", "security", *arguments)


VENDORS = ROOT / "build" / "vendors"
VENDORS_LOCK = ROOT / "requirements.vendors.lock"


def install_vendors() -> None:
    """Puts the clients of Google and Microsoft into build/vendors: 130 MB that nothing else needs.

    Raises:
        TaskError: they could not be installed.
    """
    stamp, wanted = VENDORS / "stamp", VENDORS_LOCK.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(VENDORS, ignore_errors=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    step(
        "Clients of Google and Microsoft",
        [*pip, "--no-deps", "--require-hashes", "-r", VENDORS_LOCK, "-t", VENDORS],
    )
    stamp.write_text(wanted)


def prove_vendors(arguments: Sequence[str]) -> int:
    """Hold the directories of the tests against what Google and Microsoft wrote; installs 130 MB."""
    set_up("run")
    install_vendors()
    os.environ["PYTHONPATH"] = str(VENDORS)
    return run("-m", "pytest", "tests/vendors", *arguments)


WITH_A_SERVER = ("tests/integration/server", "tests/unit/server", "tests/privacy", "tests/security")


def prove_databases(arguments: Sequence[str]) -> int:
    """Run every test that uses a server on SQLite and on PostgreSQL."""
    set_up("test")
    words = ("--both-databases", "-k", "sqlite or postgresql", *shared_out())
    return run("-m", "pytest", *words, *WITH_A_SERVER, *arguments)


def package(arguments: Sequence[str]) -> int:
    """Build the installer in build/ and try it."""
    set_up("package")
    return run("-m", "installer", *arguments)


def messages(_arguments: Sequence[str]) -> int:
    """Bring the texts of the code into the catalogues, to be translated there."""
    set_up("run")
    return run("-m", "resources.catalogues")


def gallery(arguments: Sequence[str]) -> int:
    """Draw every screen into build/gallery/index.html; --designs FOLDER, --accept."""
    set_up("desktop")
    return run("-m", "tests.support.ui.gallery", *arguments)


def setup(arguments: Sequence[str]) -> int:
    """Install what a purpose needs and stop: run, desktop, test (if none is named), bench, package."""
    purposes = arguments or ["test"]
    unknown = set(purposes) - SYSTEM_PACKAGES.keys()
    if unknown:
        raise TaskError(f"Unknown: {', '.join(unknown)}", f"Choose among {', '.join(SYSTEM_PACKAGES)}.")
    for purpose in purposes:
        set_up(purpose)
    return 0


def clean(_arguments: Sequence[str]) -> int:
    """Remove what was built and cached; .venv stays."""
    tools = ["mypy", "pytest", "ruff", "import_linter"]
    for name in ["build", "dist", ".hypothesis", ".schemathesis", *(f".{tool}_cache" for tool in tools)]:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    return 0


TASKS: dict[str, Callable[[Sequence[str]], int]] = {
    task.__name__.replace("_", "-"): task
    for task in (
        demo,
        test,
        test_fast,
        coverage,
        prove_privacy,
        prove_reliability,
        prove_security,
        prove_databases,
        prove_vendors,
        bench,
        package,
        lint,
        messages,
        gallery,
        setup,
        clean,
    )
}


def parse() -> tuple[str, list[str]]:
    """The task that the command line names, and the words that are the task's own."""
    listing = "\n".join(f"  {name:<19}{task.__doc__}" for name, task in TASKS.items())
    parser = argparse.ArgumentParser(
        prog="python3 -m tasks",
        usage="python3 -m tasks TASK [WORDS FOR THE TASK …]",
        description="Each task does its own set-up first and reuses what is there.",
        epilog=f"tasks:\n{listing}\n\nWith make: make TASK, or make TASK ARGS='…'.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", metavar="TASK", choices=list(TASKS), help="one of the tasks below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parsed = parser.parse_args(sys.argv[1:] or ["--help"])
    return parsed.task, parsed.arguments


def main() -> NoReturn:
    """Runs one task and exits with its code."""
    task, arguments = parse()
    try:
        if sys.version_info < OLDEST_PYTHON:
            raise TaskError("Python is too old", "Tidings needs Python 3.11 or newer.")
        code = TASKS[task](arguments)
    except TaskError as error:
        title, message = error.args
        print(styled(f"\n{title}", "1;31"), message, sep="\n", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if code not in (0, 2) else code)


if __name__ == "__main__":
    main()
