"""What is missing or broken in the server, and what to do about it."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.accounts.console_address import is_here_only, of_links
from server.archives.closing import on_the_move
from server.archives.row_rules import wrong_rows
from server.audit.verifying import verify, what_to_do
from server.campaigns import feed_room
from server.campaigns.models import Media
from server.core import clock, connection_limits
from server.core.errors import EnvironmentFault, Refused, ServerError
from server.database.sessions import is_pooled
from server.database.soundness import companies, damage, missing, orphans, strangers, told_of_strangers
from server.database.values import unreadable
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Mark
from server.erasure_ledger.models import LedgerState
from server.mail import outbox, transport
from server.media.files import path_of
from server.processing_record.record import declared_fields
from server.processing_record.record_words import FIELDS
from server.region.region import region_name, require_own_region
from server.signing.checking import require_own_keys

FREE_BYTES = 1024**3
MOST_ROWS = 10
RENEW_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `ok`, a `warning`, or a `fault` that keeps the server from working."""

    name: str
    state: str
    message: str


def quick_findings(company: Company) -> list[Finding]:
    """What is not as it should be, of what can be looked at within a page. The rest tells `check`."""
    found = [_data_folder(), _disk(), _clock(), _keys(company), _document(company), _address(company)]
    return [finding for finding in found if finding.state != "ok"]


def findings() -> Iterator[Finding]:
    """Everything that is looked at, one after the other."""
    yield _data_folder()
    yield _disk()
    yield _connections()
    if not (yield from _of_the_database()):
        return
    yield _clock()
    yield _region()
    yield _ledger()
    yield _record()
    if transport.is_on():
        yield _mail()
    moving = on_the_move()
    found = list(Company.objects.order_by("id"))
    if not found:
        yield Finding(_("Company"), "fault", _("There is none. Run: tidings-server init."))
    yield from map(_move, sorted(moving))
    for company in found:
        if company.pk in moving:
            continue
        for look in (_keys, _document, _rows, _feeds, _media, _audit, _address):
            yield look(company)


def _of_the_database() -> Generator[Finding, None, bool]:
    """Answers whether what is in it can be looked at."""
    for look in (_pooler, _database, _strangers, _migrations, _broken_tables, _orphans):
        finding = look()
        if finding is None:
            continue
        yield finding
        is_partial = look is _orphans or (look is _strangers and companies())
        if finding.state == "fault" and not is_partial:
            return False
    return True


def _data_folder() -> Finding:
    name = _("Data folder")
    try:
        with tempfile.NamedTemporaryFile(dir=settings.DATA):
            pass
    except OSError as error:
        return Finding(name, "fault", _("Not writable: {reason}").format(reason=error))
    if os.name == "posix" and settings.DATA.stat().st_mode & 0o077:
        return Finding(
            name,
            "warning",
            _("Other users can look into it. Run: chmod 700 {path}").format(path=settings.DATA),
        )
    if not settings.SECRET_FILE.exists():
        return Finding(name, "fault", _("The secret key is missing. Run: tidings-server init."))
    return Finding(name, "ok", str(settings.DATA))


def _disk() -> Finding:
    try:
        free = shutil.disk_usage(settings.DATA).free
    except OSError as error:
        return Finding(_("Disk"), "fault", str(error))
    message = _("{free:.1f} GB free").format(free=free / 1e9)
    return Finding(_("Disk"), "ok" if free >= FREE_BYTES else "warning", message)


def _connections() -> Finding:
    name, workers = _("Connections"), connection_limits.default_workers()
    if connection_limits.keeps_promise(workers):
        return Finding(name, "ok", _("room for {count:,}").format(count=connection_limits.PROMISED))
    message = _(
        "Each process may have {files:,} files open, which is too few for {count:,} connections. Raise the limit:"
        " LimitNOFILE= in the systemd unit, or ulimit -n."
    )
    return Finding(
        name,
        "warning",
        message.format(files=connection_limits.descriptors(), count=connection_limits.PROMISED),
    )


def _pooler() -> Finding | None:
    """Whether it keeps a transaction together, without which nothing works here; None where there is none."""
    name = _("Connection pooler")
    try:
        if not is_pooled(connection):
            return None
    except DatabaseError:
        return None  # which is said of the database
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        connection.close()
        message = _("It keeps no transaction together: {reason}. Set pool_mode = transaction, or session.")
        return Finding(name, "fault", message.format(reason=str(error).strip()))
    return Finding(name, "ok", _("in use, and it keeps transactions together: nothing is prepared over it"))


def _database() -> Finding:
    try:
        if found := damage():
            return Finding(_("Database"), "fault", _("Damaged: {reason}").format(reason=found))
    except DatabaseError as error:
        return Finding(_("Database"), "fault", str(error).strip())
    return Finding(_("Database"), "ok", str(connection.display_name))


def _orphans() -> Finding | None:
    """Whether only some tables were restored."""
    if tables := orphans():
        message = _("Rows lead to rows that are gone: {tables}. {advice}")
        told = message.format(tables=", ".join(tables[:MOST_ROWS]), advice=_("Put a backup in its place."))
        return Finding(_("Tables"), "fault", told)
    return None


def _strangers() -> Finding | None:
    """Whether companies are missing that this server had."""
    try:
        unknown = strangers()
    except DatabaseError:
        return None  # which is said of the database
    return Finding(_("Companies"), "fault", f"{told_of_strangers(unknown)}.") if unknown else None


def _migrations() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding(_("Tables"), "fault", str(error).strip())
    if waiting:
        message = ngettext(
            "{count} change is due. tidings-server serve makes it.",
            "{count} changes are due. tidings-server serve makes them.",
            len(waiting),
        ).format(count=len(waiting))
        return Finding(_("Tables"), "fault", message)
    return Finding(_("Tables"), "ok", _("up to date"))


def _broken_tables() -> Finding | None:
    """What keeps everything below from being looked at; None where nothing does."""
    name, advice = _("Tables"), _("Put a backup in its place.")
    if gone := missing():
        message = _("Missing: {tables}. {advice}")
        return Finding(name, "fault", message.format(tables=", ".join(gone), advice=advice))
    if columns := list(itertools.islice(unreadable(), MOST_ROWS)):
        message = _("Values that cannot be read are in: {columns}. {advice}")
        return Finding(name, "fault", message.format(columns=", ".join(columns), advice=advice))
    return None


def _clock() -> Finding:
    now = clock.now()
    newest = Company.objects.order_by("created_at").values_list("created_at", flat=True).last()
    if newest is not None and newest > now + timedelta(minutes=5):
        return Finding(
            _("Clock"), "fault", _("It stands before things that have happened: {now}").format(now=now)
        )
    return Finding(_("Clock"), "ok", clock.utc_text(now))


def _region() -> Finding:
    try:
        return Finding(_("Region"), "ok", region_name(require_own_region()))
    except ServerError as error:
        return Finding(_("Region"), "fault", f"{error.title}. {error.message}")


def _ledger() -> Finding:
    name = _("Erasure ledger")
    try:
        state = LedgerState.objects.filter(pk=1).first()
        applied = Mark(state.number, state.digest) if state else ledger.START
        lags = sum(1 for _line in ledger.after(applied)) > 0  # all are read
    except ServerError as error:
        return Finding(name, "fault", f"{error.title}. {error.message}")
    if lags:
        return Finding(
            name,
            "warning",
            _("The database lacks what happened since; the next command or start does it again."),
        )
    return Finding(name, "ok", _("The ledger is whole."))


def _mail() -> Finding:
    """Whether mail can be sent as far as is known here, and what was given up."""
    try:
        transport.backend()
        address = of_links()
    except (EnvironmentFault, Refused) as error:
        return Finding(_("Mail"), "fault", f"{error.title}. {error.message}")
    if is_here_only(address):
        message = _("Links in mails lead to {address}, which is of this machine alone. Set TIDINGS_CONSOLE.")
        return Finding(_("Mail"), "warning", message.format(address=address))
    if count := outbox.given_up():
        message = ngettext(
            "{count} mail of the last week could not be sent. Try: tidings-server mail test EMAIL",
            "{count} mails of the last week could not be sent. Try: tidings-server mail test EMAIL",
            count,
        )
        return Finding(_("Mail"), "warning", message.format(count=count))
    return Finding(_("Mail"), "ok", _("on"))


def _record() -> Finding:
    """Whether everything that is stored about people can be named in the record of processing."""
    name = _("Record of processing")
    declared = declared_fields()
    if nameless := sorted(declared.keys() - FIELDS.keys()):
        return Finding(name, "fault", _("It does not describe: {fields}").format(fields=", ".join(nameless)))
    return Finding(
        name,
        "ok",
        ngettext("complete: {count} field", "complete: {count} fields", len(declared)).format(
            count=len(declared)
        ),
    )


def _move(company_id: str) -> Finding:
    message = _("It is being brought in or closed. If that was interrupted, run: tidings-server housekeeping")
    return Finding(_("Company {company}").format(company=company_id), "warning", message)


def _keys(company: Company) -> Finding:
    name = _("Keys of {company}").format(company=company.id)
    try:
        require_own_keys(company)
    except ServerError as error:
        return Finding(name, "fault", f"{error.title}. {error.message}")
    return Finding(name, "ok", _("readable by the server only"))


def _document(company: Company) -> Finding:
    name = _("Document of {company}").format(company=company.id)
    if company.document_expires is None:
        return Finding(name, "fault", _("Not signed. Run: tidings-server init."))
    if company.document_expires - clock.now() < RENEW_WITHIN:
        message = _("Expires {time}. Restart the server to renew it.")
        return Finding(name, "warning", message.format(time=clock.utc_text(company.document_expires)))
    return Finding(name, "ok", _("valid until {time}").format(time=clock.utc_text(company.document_expires)))


def _audit(company: Company) -> Finding:
    name = _("Audit log of {company}").format(company=company.id)
    verdict = verify(company)
    if verdict.faults:
        return Finding(name, "fault", "; ".join([*verdict.faults, what_to_do()]))
    return Finding(
        name,
        "ok",
        ngettext("whole, {count} entry", "whole, {count} entries", verdict.head.number).format(
            count=verdict.head.number
        ),
    )


def _rows(company: Company) -> Finding:
    """Whether somebody edited rows past the rules under which they are set."""
    name = _("Rows of {company}").format(company=company.id)
    if faults := list(itertools.islice(wrong_rows(company), MOST_ROWS)):
        return Finding(name, "fault", _("Not as they may be set: {faults}").format(faults="; ".join(faults)))
    return Finding(name, "ok", _("as they may be set"))


def _feeds(company: Company) -> Finding:
    """Whether all campaigns are in the feeds of all whom they are for: nobody is told of what an import left no room for."""
    name = _("Feeds of {company}").format(company=company.id)
    full_from = feed_room.overfull_from(company, clock.now())
    if full_from is None:
        return Finding(name, "ok", _("room for all that is published"))
    message = _(
        "From {time} some people get more than fits into a feed, and the oldest campaigns are left out. Recall what is no"
        " longer needed, or take people out of groups."
    )
    return Finding(name, "warning", message.format(time=clock.utc_text(full_from)))


def _media(company: Company) -> Finding:
    name = _("Media of {company}").format(company=company.id)
    files = Media.objects.filter(company=company).values_list("sha256", "size")
    missing = [sha256 for sha256, size in files if not _is_there(path_of(company.id, sha256).stat, size)]
    if missing:
        message = ngettext(
            "{count} file is missing or cut. Restore it from your backup: {first}",
            "{count} files are missing or cut. Restore them from your backup: {first}",
            len(missing),
        )
        return Finding(name, "fault", message.format(count=len(missing), first=missing[0]))
    return Finding(name, "ok", ngettext("{count} file", "{count} files", len(files)).format(count=len(files)))


def _is_there(stat: Callable[[], os.stat_result], size: int) -> bool:
    try:
        return stat().st_size == size
    except OSError:
        return False


def _address(company: Company) -> Finding:
    name = _("Address of {company}").format(company=company.id)
    address = urlsplit(company.server_url)
    if address.scheme != "https" and address.hostname not in {"127.0.0.1", "::1", "localhost"}:
        message = _(
            "{url} has no TLS: agents refuse it. Put a proxy in front, or serve with --tls-certificate."
        )
        return Finding(name, "warning", message.format(url=company.server_url))
    return Finding(name, "ok", company.server_url)
