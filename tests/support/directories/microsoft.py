"""Microsoft 365's sign-in and Graph hosts, as far as somebody needs them who reads people and groups.

Written after Microsoft's documentation of delta queries, directory objects and errors. Its links name the real hosts.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote

from tests.support.directories import entra, tokens
from tests.support.directories.microsoft_samples import (
    DOMAIN,
    GROUP_FIELDS,
    ORGANIZATION_FIELDS,
    USER_BY_DEFAULT,
    USER_FIELDS,
)
from tests.support.directories.serving import Answer, Directory, Json, Refusal, Request

LOGIN = "login.microsoftonline.com"
GRAPH = "graph.microsoft.com"
HOSTS = (LOGIN, GRAPH)
READ_USERS = "User.Read.All"
READ_MEMBERS = "GroupMember.Read.All"
READ_ORGANIZATION = "Organization.Read.All"
READ_ALL = "Directory.Read.All"
DELTA_ENDS_AFTER_S = 7 * 86_400
DELETED_FOR_S = 30 * 86_400
MOST = 999
USUAL = 100
EVENTUAL = "eventual"

ERRORS: Mapping[str, tuple[int, str]] = {
    "BadRequest": (400, "Bad request."),
    "Request_BadRequest": (400, "Invalid request."),
    "Request_UnsupportedQuery": (400, "Unsupported query."),
    "syncStateNotFound": (400, "The sync state generation is not found."),
    "InvalidAuthenticationToken": (401, "Access token validation failure. Invalid audience or lifetime."),
    "Authorization_RequestDenied": (403, "Insufficient privileges to complete the operation."),
    "Request_ResourceNotFound": (
        404,
        "Resource does not exist or one of its queried references is not present.",
    ),
    "resyncRequired": (410, "Resync required."),
    "TooManyRequests": (429, "Too many requests."),
    "generalException": (500, "An unspecified error has occurred."),
    "NotImplemented": (501, "Property is not tracked by delta query."),
    "serviceNotAvailable": (503, "The service is temporarily unavailable."),
    "gatewayTimeout": (504, "The server did not respond in time."),
}


@dataclass(frozen=True)
class DeltaShape:
    """How a round of changes comes.

    Attributes:
        page_size: objects on a page.
        empty_pages: so many pages without an object come first.
        repeated: so many objects come again on the last page.
        replayed: so many that were told in earlier rounds come again in the next.
        tells_removed_at_first: whoever was removed before is in the first round, too.
        expired_as: what a link that is too old gets: 410 with a Location, or 400 without.
    """

    page_size: int = 200
    empty_pages: int = 0
    repeated: int = 0
    replayed: int = 0
    tells_removed_at_first: bool = False
    expired_as: int = 410


class MicrosoftDirectory(Directory):
    """A tenant with one application, which has no credentials and no permissions until a test gives them.

    Args:
        login: the cloud's host for sign-in.
        graph: the cloud's host of Graph.
    """

    def __init__(self, login: str = LOGIN, graph: str = GRAPH) -> None:
        self._login = login
        self._graph = graph
        super().__init__()

    def _begin(self) -> None:
        self._tokens = entra.TokenEndpoint(self._login, self._graph)
        self._permissions: frozenset[str] = frozenset()
        self._people: dict[str, Json] = {}
        self._deleted: dict[str, tuple[Json, float]] = {}
        self._changed: dict[str, int] = {}
        self._step = 0
        self._rounds: dict[tuple[int, int], list[str]] = {}
        self._groups: dict[str, Json] = {}
        self._members: dict[str, list[str]] = {}
        self._shape = DeltaShape()

    # --- What a test does ----------------------------------------------------------------------------

    def add_certificate(self, pem: bytes) -> None:
        """Upload a certificate to the application."""
        with self._changing():
            self._tokens.add_certificate(pem)

    def add_secret(self, text: str, ends_in_s: float = 86_400) -> None:
        """Give the application a secret."""
        with self._changing():
            self._tokens.add_secret(text, self._now() + ends_in_s)

    def forget_credentials(self) -> None:
        """Take all certificates and secrets from the application, and end its tokens."""
        with self._changing():
            self._tokens.forget_credentials()

    def permit(self, *permissions: str) -> None:
        """Consent to these application permissions and no others."""
        with self._changing():
            self._permissions = frozenset(permissions)

    def shape_deltas(self, shape: DeltaShape) -> None:
        """Let rounds of changes come so from now on."""
        with self._changing():
            self._shape = shape
            self._rounds.clear()

    def put_people(self, people: Iterable[Json]) -> None:
        """Add these people, or replace those with the same id. Whoever was deleted is back."""
        with self._changing():
            self._step += 1
            for each in people:
                self._people[each["id"]] = each
                self._deleted.pop(each["id"], None)
                self._changed[each["id"]] = self._step

    def delete_people(self, ids: Iterable[str]) -> None:
        """Delete these people: for 30 days they are among the deleted items."""
        with self._changing():
            self._step += 1
            for each in ids:
                self._deleted[each] = (self._people.pop(each), self._now())
                self._changed[each] = self._step

    def forget_people(self, ids: Iterable[str]) -> None:
        """Delete these people for good."""
        with self._changing():
            self._step += 1
            for each in ids:
                self._people.pop(each, None)
                self._deleted.pop(each, None)
                self._changed[each] = self._step

    def put_groups(self, groups: Iterable[Json]) -> None:
        """Add these groups, or replace those with the same id; members stay."""
        with self._changing():
            for each in groups:
                self._groups[each["id"]] = each
                self._members.setdefault(each["id"], [])

    def delete_groups(self, ids: Iterable[str]) -> None:
        """Remove these groups."""
        with self._changing():
            for each in ids:
                self._groups.pop(each, None)
                self._members.pop(each, None)

    def put_members(self, group_id: str, people: Iterable[str] = (), groups: Iterable[str] = ()) -> None:
        """Let a group have these direct members and no others."""
        with self._changing():
            self._members[group_id] = [*people, *groups]

    # --- What Microsoft answers ----------------------------------------------------------------------

    def _error(self, name: str) -> Answer:
        return entra.error(name, self._now()) if name in entra.ERRORS else self._graph_error(name)

    def _graph_error(self, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        status, usual = ERRORS[code]
        at = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        inner = {"date": at, "request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
        content = {"error": {"code": code, "message": message or usual, "innerError": inner}}
        return Answer(content, status, headers or {})

    def _refusal(self, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> Refusal:
        return Refusal(self._graph_error(code, message, headers))

    def _looped(self, request: Request, content: Json) -> None:
        content.pop("@odata.deltaLink", None)
        content["@odata.nextLink"] = self._link(request.path, request.query)

    def _true_answer(self, request: Request) -> Answer:
        host = request.host
        both = host.startswith("127.0.0.1")
        if both or host == self._login:
            for method, pattern, signing_in in self._routes_of_login():
                if request.method == method and (found := re.fullmatch(pattern, request.path)):
                    return Answer(signing_in(request, *found.groups()))
        if both or host == self._graph:
            for pattern, answering in self._routes_of_graph():
                if request.method == "GET" and (found := re.fullmatch(f"/v1.0{pattern}", request.path)):
                    self._is_known(request)
                    return Answer(answering(request, *found.groups()), headers=self._headers(request))
        raise self._refusal(
            "BadRequest", f"This test directory has no {request.method} {request.path} at {host}."
        )

    def _routes_of_login(self) -> Sequence[tuple[str, str, Callable[..., Json]]]:
        return (
            ("POST", "/([^/]+)/oauth2/v2.0/token", self._token),
            ("GET", "/([^/]+)/v2.0/.well-known/openid-configuration", self._configuration),
            ("GET", "/common/discovery/instance", self._instances),
        )

    def _routes_of_graph(self) -> Sequence[tuple[str, Callable[..., Json | bytes]]]:
        return (
            ("/users", self._list_users),
            (r"/users/\$count", self._count_users),
            ("/users/delta", self._delta),
            ("/users/([^/]+)", self._get_user),
            ("/directory/deletedItems/microsoft.graph.user", self._list_deleted),
            ("/groups", self._list_groups),
            ("/groups/([^/]+)", self._get_group),
            ("/groups/([^/]+)/transitiveMembers/microsoft.graph.user", self._list_members),
            ("/organization", self._organization),
        )

    def _token(self, request: Request, tenant: str) -> Json:
        return self._tokens.token(request, tenant, self._now())

    def _configuration(self, _request: Request, tenant: str) -> Json:
        return self._tokens.openid_configuration(tenant, self._now())

    def _instances(self, _request: Request) -> Json:
        return self._tokens.instances()

    def _is_known(self, request: Request) -> None:
        if self._tokens.bearers.grant(request.bearer, self._now()) is None:
            raise self._refusal("InvalidAuthenticationToken")

    def _headers(self, request: Request) -> dict[str, str]:
        asked = request.headers.get("client-request-id", "")
        of_type = {"Content-Type": "text/plain"} if request.path.endswith("/$count") else {}
        own = {"request-id": str(uuid.uuid4()), "OData-Version": "4.0"}
        return own | ({"client-request-id": asked} if asked else {}) | of_type

    def _may(self, *permissions: str) -> None:
        if not self._permissions & {*permissions, READ_ALL}:
            raise self._refusal("Authorization_RequestDenied")

    def _knows(self, request: Request, *parameters: str) -> None:
        unknown = request.query.keys() - {*parameters}
        if unknown:
            message = f"This test directory does not know {sorted(unknown)} here."
            raise self._refusal("Request_UnsupportedQuery", message)

    def _selected(
        self, request: Request, known: frozenset[str], usual: Iterable[str], kind: str
    ) -> list[str]:
        if "$select" not in request.query:
            return list(usual)
        fields = request.query["$select"].split(",")
        for each in fields:
            if each not in known:
                raise self._refusal(
                    "BadRequest",
                    f"Could not find a property named '{each}' on type 'microsoft.graph.{kind}'.",
                )
        return fields

    def _list_users(self, request: Request) -> Json:
        self._may(READ_USERS)
        fields = self._selected(request, USER_FIELDS, USER_BY_DEFAULT, "user")
        return self._listed(request, "users", lambda: self._people, fields)

    def _count_users(self, request: Request) -> bytes:
        self._may(READ_USERS)
        self._knows(request)
        self._is_eventual(request)
        return str(len(self._people)).encode()

    def _get_user(self, request: Request, key: str) -> Json:
        self._may(READ_USERS)
        self._knows(request, "$select")
        fields = self._selected(request, USER_FIELDS, USER_BY_DEFAULT, "user")
        found = self._people.get(key) or next(
            (each for each in self._people.values() if each["userPrincipalName"].lower() == key.lower()), None
        )
        if found is None:
            raise self._refusal("Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        return {"@odata.context": self._context("users", "/$entity"), **_shown(found, fields)}

    def _list_deleted(self, request: Request) -> Json:
        self._may(READ_USERS)
        self._forget_the_long_deleted()
        fields = self._selected(request, USER_FIELDS, (*USER_BY_DEFAULT, "deletedDateTime"), "user")

        def found() -> Mapping[str, Json]:
            return {key: each | {"deletedDateTime": _iso(at)} for key, (each, at) in self._deleted.items()}

        return self._listed(request, "users", found, fields)

    def _list_groups(self, request: Request) -> Json:
        self._may(READ_MEMBERS)
        fields = self._selected(request, GROUP_FIELDS, sorted(GROUP_FIELDS), "group")
        return self._listed(request, "groups", lambda: self._groups, fields)

    def _get_group(self, request: Request, key: str) -> Json:
        self._may(READ_MEMBERS)
        self._knows(request, "$select")
        fields = self._selected(request, GROUP_FIELDS, sorted(GROUP_FIELDS), "group")
        return {"@odata.context": self._context("groups", "/$entity"), **_shown(self._group(key), fields)}

    def _group(self, key: str) -> Json:
        if key not in self._groups:
            raise self._refusal("Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        return self._groups[key]

    def _list_members(self, request: Request, key: str) -> Json:
        """People below a group. Without permission for people, no more than ids."""
        self._may(READ_MEMBERS)
        self._group(key)
        self._is_eventual(request)
        if request.query.get("$count") != "true":
            raise self._refusal("Request_UnsupportedQuery", "This cast needs $count=true.")
        fields = self._selected(request, USER_FIELDS, USER_BY_DEFAULT, "user")
        whole = bool(self._permissions & {READ_USERS, READ_ALL})

        def found() -> Mapping[str, Json]:
            return {
                each: self._people[each] if whole else {"id": each} for each in self._people_below(key, set())
            }

        return self._listed(request, "users", found, fields)

    def _people_below(self, key: str, seen: set[str]) -> Iterable[str]:
        for each in self._members.get(key, ()):
            if each in seen:
                continue
            seen.add(each)
            if each in self._people:
                yield each
            else:
                yield from self._people_below(each, seen)

    def _organization(self, request: Request) -> Json:
        self._may(READ_ORGANIZATION)
        found: Json = {
            "id": entra.TENANT,
            "displayName": "Northwind",
            "countryLetterCode": "FR",
            "tenantType": "AAD",
            "verifiedDomains": [{"name": DOMAIN, "isDefault": True, "isInitial": False, "type": "Managed"}],
        }
        fields = self._selected(request, ORGANIZATION_FIELDS, sorted(ORGANIZATION_FIELDS), "organization")
        return self._listed(request, "organization", lambda: {entra.TENANT: found}, fields)

    def _is_eventual(self, request: Request) -> None:
        if request.headers.get("consistencylevel", "").lower() != EVENTUAL:
            raise self._refusal(
                "Request_UnsupportedQuery", "This needs the header ConsistencyLevel: eventual."
            )

    def _listed(
        self, request: Request, kind: str, found: Callable[[], Mapping[str, Json]], fields: Sequence[str]
    ) -> Json:
        self._knows(request, "$select", "$top", "$count", "$skiptoken")
        top = request.query.get("$top", str(USUAL))
        if not top.isdecimal() or not 1 <= int(top) <= MOST:
            raise self._refusal("Request_BadRequest", f"Invalid page size specified: '{top}'.")
        after = ""
        if "$skiptoken" in request.query:
            token = tokens.marked(request.query["$skiptoken"])
            if token is None or token.get("list") != request.path:
                raise self._refusal("Request_BadRequest", "The specified $skiptoken is invalid.")
            after = str(token["after"])
        listing = self._listing(request.path, found)
        page, last = listing.page(after, int(top))
        content: Json = {"@odata.context": self._context(kind)}
        if request.query.get("$count") == "true":
            self._is_eventual(request)
            content["@odata.count"] = len(listing)
        if last:
            token_text = tokens.mark({"after": last, "list": request.path})
            content["@odata.nextLink"] = self._link(request.path, {**request.query, "$skiptoken": token_text})
        content["value"] = [_shown(each, fields) for each in page]
        return content

    # --- Changes -------------------------------------------------------------------------------------

    def _delta(self, request: Request) -> Json:
        self._may(READ_USERS)
        self._knows(request, "$select", "$skiptoken", "$deltatoken")
        begun = self._round(request)
        first, last, page = int(begun["first"]), int(begun["last"]), int(begun["page"])
        fields = begun["fields"]
        size = self._shape.page_size
        if (first, last) not in self._rounds:
            self._rounds[first, last] = self._changed_between(first, last)
        keys = self._rounds[first, last]
        at = (page - self._shape.empty_pages) * size
        shown = keys[at : at + size] if at >= 0 else []
        content: Json = {"@odata.context": self._context("users")}
        at_the_end = at + size >= len(keys)
        if at_the_end:
            shown = [*shown, *keys[: self._shape.repeated]]
        content["value"] = [each for key in shown for each in self._told(key, fields, first)]
        if at_the_end:
            after = {"first": last, "last": None, "page": 0, "fields": fields, "at": self._now()}
            content["@odata.deltaLink"] = self._link(request.path, {"$deltatoken": tokens.mark(after)})
        else:
            after = begun | {"page": page + 1}
            content["@odata.nextLink"] = self._link(request.path, {"$skiptoken": tokens.mark(after)})
        return content

    def _round(self, request: Request) -> Json:
        """Where a round is: from which step to which, and on which page."""
        link = request.query.get("$skiptoken") or request.query.get("$deltatoken") or ""
        fields = self._selected(request, USER_FIELDS, USER_BY_DEFAULT, "user")
        now: Json = {"first": 0, "last": self._step, "page": 0, "fields": fields, "at": self._now()}
        if not link:
            return now
        if link == "latest":
            return now | {"first": self._step}
        begun = tokens.marked(link)
        if begun is None or begun.keys() != now.keys():
            raise self._refusal("Request_BadRequest", "The specified token is invalid.")
        if self._now() > begun["at"] + DELTA_ENDS_AFTER_S:
            raise self._expired(request, begun["fields"])
        return begun if begun["last"] is not None else begun | {"last": self._step}

    def _expired(self, request: Request, fields: Sequence[str]) -> Refusal:
        if self._shape.expired_as != HTTPStatus.GONE:
            return self._refusal("syncStateNotFound")
        anew = self._link(request.path, {"$select": ",".join(fields), "$deltatoken": ""})
        return self._refusal("resyncRequired", headers={"Location": anew})

    def _changed_between(self, first: int, last: int) -> list[str]:
        if first == 0:
            gone = set(self._changed) - set(self._people) if self._shape.tells_removed_at_first else set()
            return sorted({*self._people, *gone})
        told = sorted((step, key) for key, step in self._changed.items() if step <= first)
        replayed = [key for _step, key in told[len(told) - min(self._shape.replayed, len(told)) :]]
        return replayed + sorted(key for key, step in self._changed.items() if first < step <= last)

    def _told(self, key: str, fields: Sequence[str], first: int) -> Iterable[Json]:
        """Somebody as a page of changes has them: what was never set is left out."""
        self._forget_the_long_deleted()
        if key in self._people:
            found = self._people[key]
            yield {name: found[name] for name in dict.fromkeys((*fields, "id")) if name in found}
        elif first or self._shape.tells_removed_at_first:
            yield {"id": key, "@removed": {"reason": "changed" if key in self._deleted else "deleted"}}

    def _forget_the_long_deleted(self) -> None:
        for key, (_, at) in list(self._deleted.items()):
            if self._now() > at + DELETED_FOR_S:
                del self._deleted[key]
                self._step += 1
                self._changed[key] = self._step

    def _context(self, kind: str, of: str = "") -> str:
        return f"https://{self._graph}/v1.0/$metadata#{kind}{of}"

    def _link(self, path: str, query: Mapping[str, str]) -> str:
        words = "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
        return f"https://{self._graph}{path}{'?' if words else ''}{words}"


def _shown(found: Json, fields: Iterable[str]) -> Json:
    """An object as a list has it: what was never set is null."""
    return {name: found.get(name) for name in fields}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
