"""`tidings-server serve`: answer agents until Ctrl-C or SIGTERM."""

import argparse
import errno
import ipaddress
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connections as database_connections
from django.utils.translation import gettext as _
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from server import logs
from server.accounts import console_address
from server.archives.closing import on_the_move
from server.audit.verifying import end_faults, what_to_do
from server.core import concurrency, connection_limits, private_files, workers_code
from server.core.errors import EnvironmentFault, Refused
from server.database.migrating import migrate
from server.database.soundness import require_sound, require_whole, strangers, told_of_strangers
from server.directory.models import Company
from server.mail import transport
from server.recovery.rekeying import settle
from server.recovery.replay import catch_up
from server.region.region import require_own_region, settled_region
from server.retention import daily
from server.signing.checking import note_receipt_key, require_own_keys
from server.signing.documents import renew_company

LOGGER = logging.getLogger(__name__)
STOP_WITHIN_S = 10
LAST_PORT = 65_535


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise ValueError
        return int(text)

    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server serve`: where to listen, how many processes, TLS."""
    parser.add_argument("--host", default="127.0.0.1", help=_("the address to listen on (%(default)s)"))
    parser.add_argument(
        "--port", type=int, default=8400, help=_("the port to listen on (%(default)s); 0 takes a free one")
    )
    parser.add_argument(
        "--workers",
        type=_at_least(1),
        default=connection_limits.default_workers(),
        help=_("processes that answer (%(default)s)"),
    )
    parser.add_argument(
        "--idle-timeout",
        type=_at_least(1),
        default=connection_limits.SILENT_S,
        metavar=_("SECONDS"),
        help=_("close a line that says nothing for so long (%(default)s)"),
    )
    parser.add_argument("--tls-certificate", type=Path, metavar=_("FILE"), help=_("certificate chain, PEM"))
    parser.add_argument("--tls-key", type=Path, metavar=_("FILE"), help=_("its private key, PEM"))
    parser.add_argument(
        "--requests-per-minute",
        type=_at_least(0),
        default=concurrency.REQUESTS_PER_MINUTE,
        help=_("what one computer may ask of a worker (%(default)s); 0 sets no limit"),
    )


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it. Raises `Refused` where it cannot listen."""
    _prepare(options)
    port = port_to_listen_on(options.host, options.port)
    scheme = "https" if options.tls_certificate else "http"
    connection_limits.raise_descriptors()
    server = Server(
        "server.gateway.asgi",
        address=options.host,
        port=port,
        interface=Interfaces.ASGI,
        # Told apart from HTTP/2 by its first bytes, a line that says nothing would be waited for without end.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=options.idle_timeout * 1000,
            max_buffer_size=connection_limits.MOST_HEADER_BYTES,
        ),
        workers=options.workers,
        backlog=connection_limits.BACKLOG,
        backpressure=connection_limits.of_worker(),
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.error,
        log_dictconfig=logs.of_granian(),
        ssl_cert=options.tls_certificate,
        ssl_key=options.tls_key,
    )
    host = f"[{options.host}]" if ":" in options.host else options.host

    # The socket listens by then: whoever connects now is answered as soon as a worker is up.
    @server.on_startup
    def say_ready() -> None:
        print(_("Serving at {url} (Ctrl-C stops)").format(url=f"{scheme}://{host}:{port}"), flush=True)

    concurrency.limit_requests(options.requests_per_minute)
    with daily.housekeeping():
        server.serve(target_loader=workers_code.prepared)
    return 0


def _prepare(options: argparse.Namespace) -> None:
    """Everything that can fail before the first request. Raises `Refused` and `EnvironmentFault`."""
    if bool(options.tls_certificate) != bool(options.tls_key):
        raise Refused(_("TLS needs both files"), _("Give --tls-certificate and --tls-key together."))
    for file in filter(None, (options.tls_certificate, options.tls_key)):
        _require_readable(file)
    if not settings.SECRET_FILE.exists():
        raise Refused(
            _("This server has not been set up"), _("Run first: tidings-server init. See --help of it.")
        )
    if transport.is_on():
        transport.backend()
        console_address.of_links()
    require_sound()  # before anything is replayed into it or signed
    settled_region()  # a database of another region is not even migrated
    migrate()
    require_whole()
    require_own_region()
    private_files.tighten_all(settings.DATA)
    catch_up(thorough=True)
    moving = on_the_move()
    for name in sorted(moving):
        LOGGER.warning(
            "%s is being brought in or closed: it is not served. Housekeeping ends what was cut off.", name
        )
    _prepare_companies(list(Company.objects.exclude(pk__in=moving).order_by("pk")))
    if not (options.tls_certificate or is_loopback(options.host)):
        LOGGER.warning("Listening on %s without TLS: put a proxy in front that speaks it.", options.host)
    if not connection_limits.keeps_promise(options.workers):
        LOGGER.warning(
            "Each worker may have %d files open: they hold fewer connections than the %d that are promised."
            " Raise the limit (LimitNOFILE= in a systemd unit, ulimit -n in a shell).",
            connection_limits.descriptors(),
            connection_limits.PROMISED,
        )
    # Workers are forked: a database connection must not be shared with them.
    database_connections.close_all()


def _prepare_companies(companies: list[Company]) -> None:
    """What is wrong with some keeps the others from nothing. Raises `EnvironmentFault` where none is left."""
    faults = []
    for company in companies:
        _tell_broken_log(company)
        try:
            require_own_keys(company)
            settle(company)
            note_receipt_key(company)
            renew_company(company)
        except EnvironmentFault as error:
            faults.append(error)
            LOGGER.error("%s cannot be served. %s. %s", company.id, error.title, error.message)
    if faults and len(faults) == len(companies):
        raise faults[0]
    if missing := strangers():
        LOGGER.error("%s.", told_of_strangers(missing))


def _tell_broken_log(company: Company) -> None:
    """An emergency must go out all the same."""
    for fault in end_faults(company):
        LOGGER.error("The audit log of %s is NOT whole. %s %s", company.id, fault, what_to_do())


def _require_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise Refused(
            _("{file} cannot be read").format(file=file),
            _("The system says: {reason}.").format(reason=error.strerror),
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def port_to_listen_on(host: str, port: int) -> int:
    """The port, or a free one for 0. Where it is taken granian would panic.

    Raises `Refused` for a number that no port has, and `EnvironmentFault` where nothing can listen.
    """
    if not 0 <= port <= LAST_PORT:
        raise Refused(
            _("There is no port {port}").format(port=port),
            _("Choose one from 1 to {last} with --port, or 0 for a free one.").format(last=LAST_PORT),
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as error:  # the latter for a host that is no name (RFC 5891)
        raise EnvironmentFault(
            _("Cannot listen on {host}, port {port}").format(host=host, port=port), _why_not(error)
        ) from error


def _why_not(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError | socket.gaierror):
        return _("The host is unknown to this machine. Name one of its addresses with --host.")
    if error.errno == errno.EADDRINUSE:
        return _("{reason}. Stop what listens there, or choose another with --port.").format(
            reason=error.strerror
        )
    return _("{reason}. Choose another address with --host, or another port with --port.").format(
        reason=error.strerror
    )
