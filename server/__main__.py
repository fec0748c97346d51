"""The command `tidings-server`: results on stdout, logs on stderr; 0 done, 1 could not be done, 2 misused.

141 when nobody reads its output any more.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from types import ModuleType

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from server.core import plain_text, under_way
from server.core.errors import EnvironmentFault, ServerError
from server.core.outputs import CLOSED_OUTPUT, NO_ROOM, discard, flush

COMMANDS = (
    "init",
    "serve",
    "people",
    "groups",
    "invite",
    "campaign",
    "report",
    "device",
    "purge",
    "housekeeping",
    "keys",
    "ledger",
    "check",
    "audit",
    "corrections",
    "token",
    "console",
    "company",
    "record",
    "mail",
)
CATCHING_UP_LATER = ("init", "serve", "check", "ledger", "audit", "keys")
"""The first two migrate before; the others look at what is wrong, and new keys may be what it takes.

So does `company close`, which may be what it takes, too.
"""
OF_ANY_REGION = ("init", "serve", "check")
"""They look at the region themselves, and say more about it."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Answers the exit status."""
    try:
        try:
            return _run(arguments)
        finally:  # also of --help, which ends as an exception
            flush()
    except BrokenPipeError:
        discard()
        return CLOSED_OUTPUT
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        discard()
        return _explain(
            EnvironmentFault(
                _("Something could not be written"),
                _("The system says: {reason}.").format(reason=error.strerror),
            )
        )


def _run(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    os.umask(0o077)
    os.environ["PYTHONSAFEPATH"] = "1"  # Of the processes that we start none runs code of the current folder.
    _prepare(_early(given))
    parser, modules = _parser(given)
    options = parser.parse_args(given)
    if broken := [word for word in given if not _is_utf8(word)]:
        parser.error(_("{word} is not UTF-8").format(word=ascii(broken[0])))
    try:
        importlib.import_module("server.database.soundness").require_own_log()
        if options.command not in OF_ANY_REGION:
            importlib.import_module("server.region.region").settled_region()
        if options.command not in CATCHING_UP_LATER and not _is_closing(options):
            _catch_up()
        with _told(options):
            return int(modules[options.command].run(options) or 0)
    except ServerError as error:
        return _explain(error)
    except DatabaseError as error:
        reason = " ".join(filter(None, (f"{error}".strip() + ".", under_way.told_others())))
        return _explain(
            EnvironmentFault(
                _("The database cannot be used"),
                _("{reason} Run `tidings-server check`.").format(reason=reason),
            )
        )
    except KeyboardInterrupt:
        return 1


def _told(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Let others see that the command runs, who may have to wait for it. `serve` keeps nobody waiting."""
    if "serve" in (options.command, getattr(options, "action", "")):
        return nullcontext()
    return under_way.told(" ".join(filter(None, (options.command, getattr(options, "action", "")))))


def _is_closing(options: argparse.Namespace) -> bool:
    return (options.command, getattr(options, "action", "")) == ("company", "close")


def _is_utf8(word: str) -> bool:
    """Whether it can be stored and printed. Other bytes come in as lone surrogates (PEP 383)."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _catch_up() -> None:
    """No command may show or use what was erased after the backup that the database was restored from."""
    importlib.import_module("server.recovery.replay").catch_up()


def _early(arguments: Sequence[str]) -> argparse.Namespace:
    """What must be known before Django reads its settings, and before anything can be translated."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--data", default=argparse.SUPPRESS)
    parser.add_argument("--log-level", default=argparse.SUPPRESS)
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError:  # an option without its value: the real parser says it better
        return argparse.Namespace()


def _named(folder: str) -> str:
    """Not what an unset variable leaves, which would be the current folder."""
    if not folder:
        raise ValueError
    return folder


def _common_options() -> argparse.ArgumentParser:
    """The same with help, for the real parser: understood before and after the command's name."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--data",
        type=_named,
        metavar=_("FOLDER"),
        default=argparse.SUPPRESS,
        help=_("the data folder of this server"),
    )
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        default=argparse.SUPPRESS,
        help=_("how much to log on stderr (WARNING unless given)"),
    )
    return parser


def _prepare(options: argparse.Namespace) -> None:
    if getattr(options, "data", ""):
        os.environ["TIDINGS_SERVER_DATA"] = os.path.abspath(options.data)  # noqa: PTH100  (a Path would resolve links)
    if getattr(options, "log_level", None) in LOG_LEVELS:
        os.environ["TIDINGS_LOG_LEVEL"] = options.log_level
    os.environ["DJANGO_SETTINGS_MODULE"] = "server.settings"
    try:
        django.setup()
    except (ImproperlyConfigured, OSError) as error:
        print(f"tidings-server: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    translation.activate(_language())


def _language() -> str:
    """The user's language from the environment, as POSIX orders its variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def _parser(given: Sequence[str]) -> tuple[argparse.ArgumentParser, dict[str, ModuleType]]:
    """Only what the command line names is imported: all commands together take as long as Django itself."""
    summaries = {
        "init": _("make or change a company, with its keys and its notice"),
        "serve": _("answer agents"),
        "people": _("bring in the company's people, and look them up"),
        "groups": _("list the groups that announcements can be for"),
        "invite": _("make one-time codes that connect computers"),
        "campaign": _("publish and recall campaigns"),
        "report": _("show how a campaign was received"),
        "device": _("list and revoke connected computers"),
        "purge": _("erase everything about people"),
        "housekeeping": _("close campaigns and delete what is kept no longer; serve does it daily"),
        "keys": _("show a company's signing keys, and replace them after a theft"),
        "ledger": _("check the erasure ledger, which restored backups obey"),
        "audit": _("show the audit log, and check that it is whole"),
        "token": _("make, list and revoke tokens of the administration API"),
        "console": _("serve the console, and say who may sign in to it"),
        "corrections": _("decide on what people want corrected in the directory's fields"),
        "check": _("look for what is missing or broken"),
        "company": _("look at companies, take one out, bring one in, close one"),
        "mail": _("send what waits to be sent by e-mail, and try it"),
        "record": _("write the record of processing activities (GDPR article 30)"),
    }
    common = _common_options()
    parser = argparse.ArgumentParser(
        prog="tidings-server", description=_("The campaign server of Tidings."), parents=[common]
    )
    parser.add_argument("--version", action="version", version=f"tidings-server {version('tidings')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))
    modules = {}
    for name in COMMANDS:
        summary = summaries[name]
        command = subparsers.add_parser(name, help=summary, description=summary, parents=[_common_options()])
        if name in given:
            modules[name] = importlib.import_module(f"server.commands.{name}")
            modules[name].add_arguments(command)
    return parser, modules


def _explain(error: ServerError) -> int:
    """Tell it without what a terminal would obey: the texts may hold whatever somebody typed."""
    title = plain_text.harmless(error.title).replace("\n", "·")
    print(f"{title}\n{plain_text.harmless(error.message)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
