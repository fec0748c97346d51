"""Google Workspace's token endpoint and Directory API, as far as somebody needs them who reads people and groups.

Written after Google's reference and discovery document. Not known from any document, and so a choice of ours: how
`my_customer` is refused to a service account that acts in its own name (only that it does not work), and what an unknown
`customer` is answered.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from tests.support.directories import masks, tokens
from tests.support.directories.google_fields import ANSWERS, GROUP, MEMBER, ORG_UNIT, USER
from tests.support.directories.google_samples import CUSTOMER, DOMAIN
from tests.support.directories.serving import Answer, Directory, Json, Refusal, Request

TOKEN_URI = "https://oauth2.googleapis.com/token"
HOSTS = ("oauth2.googleapis.com", "admin.googleapis.com")
ACCOUNT = "tidings@tidings-directory.iam.gserviceaccount.com"
SCOPES = "https://www.googleapis.com/auth/admin.directory."
READ_USERS = f"{SCOPES}user.readonly"
READ_GROUPS = f"{SCOPES}group.readonly"
READ_MEMBERS = f"{SCOPES}group.member.readonly"
READ_ORG_UNITS = f"{SCOPES}orgunit.readonly"
ALL_SCOPES = frozenset({READ_USERS, READ_GROUPS, READ_MEMBERS, READ_ORG_UNITS})
BY_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_ENDS_AFTER_S = 3600
PAGE_TOKEN_ENDS_AFTER_S = 3 * 86_400
DELETED_FOR_S = 20 * 86_400
CLOCK_LEEWAY_S = 300
STANDARD = frozenset({"alt", "fields", "prettyPrint", "quotaUser", "key"})
ACL = "global"
USAGE = "usageLimits"

ERRORS: Mapping[str, tuple[int, str, str]] = {
    "badRequest": (400, ACL, "Bad Request"),
    "invalid": (400, ACL, "Invalid Input"),
    "invalidParameter": (400, ACL, "Invalid field selection"),
    "authError": (401, ACL, "Request had invalid authentication credentials."),
    "forbidden": (403, ACL, "Not Authorized to access this resource/api"),
    "insufficientPermissions": (403, ACL, "Request had insufficient authentication scopes."),
    "domainCannotUseApis": (403, ACL, "The domain administrators have disabled Apis."),
    "accessNotConfigured": (
        403,
        USAGE,
        "Admin SDK API has not been used in this project before or is disabled.",
    ),
    "quotaExceeded": (403, USAGE, "Request rate higher than configured."),
    "userRateLimitExceeded": (403, USAGE, "User Rate Limit Exceeded"),
    "dailyLimitExceeded": (403, USAGE, "Daily Limit Exceeded"),
    "notFound": (404, ACL, "Resource Not Found"),
    "gone": (410, ACL, "Page token is too old."),
    "conditionNotMet": (412, ACL, "User is deleted."),
    "rateLimitExceeded": (429, USAGE, "Rate Limit Exceeded"),
    "backendError": (503, ACL, "Service unavailable. Please try again"),
}
TOKEN_ERRORS: Mapping[str, tuple[int, str]] = {
    "invalid_grant": (400, "Invalid JWT Signature."),
    "invalid_scope": (400, "Invalid OAuth scope or ID token audience provided."),
    "unauthorized_client": (
        401,
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the "
        "scopes requested.",
    ),
    "unsupported_grant_type": (400, "Invalid grant_type"),
    "admin_policy_enforced": (
        400,
        "Access to your account data is restricted by policies within your organization.",
    ),
}


class GoogleDirectory(Directory):
    """A company's Google Workspace with one service account, which has nothing until a test gives it a role or delegation."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(65_537, 2048)
        super().__init__()

    def _begin(self) -> None:
        self._trusted = {"first-key": self._private.public_key()}
        self._bearers = tokens.Bearers("ya29.c.")
        self._privileges: frozenset[str] = frozenset()
        self._delegated: frozenset[str] = frozenset()
        self._domains = {DOMAIN}
        self._people: dict[str, Json] = {}
        self._deleted: dict[str, tuple[Json, float]] = {}
        self._groups: dict[str, Json] = {}
        self._members: dict[str, list[Json]] = {}
        self._foreign: set[str] = set()
        self._org_units: list[Json] = []

    # --- What a test does ----------------------------------------------------------------------------

    def key_file(self, token_uri: str = TOKEN_URI) -> dict[str, str]:
        """The service account's JSON key, as an administrator downloads it."""
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "type": "service_account",
            "project_id": "tidings-directory",
            "private_key_id": "first-key",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "client_id": "109900000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }

    def trust_key(self, name: str, public_pem: bytes) -> None:
        """Take a public key that the administrator uploads."""
        key = load_pem_public_key(public_pem)
        assert isinstance(key, rsa.RSAPublicKey)
        with self._changing():
            self._trusted[name] = key

    def disable_key(self, name: str = "first-key") -> None:
        """Take this key no longer, nor what it got."""
        with self._changing():
            self._trusted.pop(name, None)
            self._bearers.end_all()

    def give_role(self, *privileges: str) -> None:
        """Give the service account itself a role that reads these: `users`, `groups`, `orgunits`; none takes it back."""
        with self._changing():
            self._privileges = frozenset(privileges)

    def delegate(self, *scopes: str) -> None:
        """Let the service account act for everybody with these scopes; none takes it back."""
        with self._changing():
            self._delegated = frozenset(scopes)

    def put_people(self, people: Iterable[Json]) -> None:
        """Add these people, or replace those with the same id. Whoever was deleted is back."""
        with self._changing():
            for each in people:
                self._people[each["id"]] = each
                self._deleted.pop(each["id"], None)
                self._domains.add(each["primaryEmail"].partition("@")[2])

    def delete_people(self, ids: Iterable[str]) -> None:
        """Delete these people: for 20 days Google still tells."""
        with self._changing():
            for each in ids:
                self._deleted[each] = (self._people.pop(each), self._now())
                for members in self._members.values():
                    members[:] = [member for member in members if member["id"] != each]

    def forget_people(self, ids: Iterable[str]) -> None:
        """Remove these people without a trace."""
        with self._changing():
            for each in ids:
                self._people.pop(each, None)
                self._deleted.pop(each, None)

    def put_groups(self, groups: Iterable[Json]) -> None:
        """Add these groups, or replace those with the same id; members stay."""
        with self._changing():
            for each in groups:
                self._groups[each["id"]] = each
                self._members.setdefault(each["id"], [])

    def delete_groups(self, ids: Iterable[str]) -> None:
        """Remove these groups, also from those that they were members of."""
        with self._changing():
            for gone in ids:
                self._groups.pop(gone, None)
                self._members.pop(gone, None)
                for members in self._members.values():
                    members[:] = [member for member in members if member["id"] != gone]

    def put_members(
        self,
        group_id: str,
        people: Iterable[str] = (),
        groups: Iterable[str] = (),
        *,
        foreign_groups: Iterable[str] = (),
        outsiders: Iterable[str] = (),
        everybody: bool = False,
    ) -> None:
        """Let a group have these direct members and no others.

        Args:
            group_id: the group.
            people: ids of people.
            groups: ids of groups of this company.
            foreign_groups: ids of groups of another company, which must not be read.
            outsiders: addresses of people who are not in the directory.
            everybody: the whole company is a member.
        """
        with self._changing():
            self._foreign.update(foreign_groups)
            self._members[group_id] = [
                *(_member(each, self._people[each]["primaryEmail"], "USER") for each in people),
                *(_member(each, self._groups[each]["email"], "GROUP") for each in groups),
                *(_member(each, f"{each}@other.example", "GROUP") for each in foreign_groups),
                *(_member(f"x{number}", each, "USER") for number, each in enumerate(outsiders)),
                *([_member(CUSTOMER, "", "CUSTOMER")] if everybody else []),
            ]

    def put_org_units(self, paths: Iterable[str]) -> None:
        """Let the company have these organisational units and no others, each as a path."""
        with self._changing():
            self._org_units = [_org_unit(number, path) for number, path in enumerate(paths)]

    # --- What Google answers -------------------------------------------------------------------------

    def _error(self, name: str) -> Answer:
        if name in TOKEN_ERRORS:
            status, description = TOKEN_ERRORS[name]
            return Answer({"error": name, "error_description": description}, status)
        return _api_error(name)

    def _looped(self, request: Request, content: Json) -> None:
        here = request.query.get("pageToken")
        content["nextPageToken"] = here or tokens.mark({"after": "", "list": request.path, "at": self._now()})

    def _true_answer(self, request: Request) -> Answer:
        if request.path == "/token":
            return self._token(request)
        for method, pattern, answering in self._routes():
            if request.method == method and (found := re.fullmatch(pattern, request.path)):
                return Answer(answering(request, *found.groups()))
        return Answer(
            b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", 404, {"Content-Type": "text/html"}
        )

    def _routes(self) -> Sequence[tuple[str, str, Callable[..., Json]]]:
        root = "/admin/directory/v1"
        return (
            ("GET", f"{root}/users", self._list_users),
            ("GET", f"{root}/users/([^/]+)", self._get_user),
            ("GET", f"{root}/groups", self._list_groups),
            ("GET", f"{root}/groups/([^/]+)", self._get_group),
            ("GET", f"{root}/groups/([^/]+)/members", self._list_members),
            ("GET", f"{root}/customer/([^/]+)/orgunits", self._list_org_units),
        )

    def _token(self, request: Request) -> Answer:
        form = request.form
        if request.method != "POST" or form.get("grant_type") != BY_BEARER:
            raise Refusal(self._error("unsupported_grant_type"))
        assertion = tokens.read(form.get("assertion", ""))
        if assertion is None:
            raise _grant_refused("Bad Request")
        claims = assertion.claims
        if claims.get("iss") != ACCOUNT:
            raise _grant_refused("Invalid grant: account not found")
        key = self._trusted.get(str(assertion.head.get("kid")))
        if key is None or not assertion.is_signed_by(key, ["RS256"]):
            raise _grant_refused("Invalid JWT Signature.")
        if claims.get("aud") not in (TOKEN_URI, f"http://127.0.0.1:{self.port()}/token"):
            raise _grant_refused("Invalid JWT: Failed audience check.")
        if not _is_timely(claims, self._now()):
            raise _grant_refused(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim."
            )
        grant = (self._scopes(claims), str(claims.get("sub") or ""))
        return Answer(
            {
                "access_token": self._bearers.give(grant, self._now()),
                "expires_in": tokens.BEARER_ENDS_AFTER_S,
                "token_type": "Bearer",
            }
        )

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes or not all(scope.startswith("https://www.googleapis.com/auth/") for scope in scopes):
            raise Refusal(self._error("invalid_scope"))
        subject = claims.get("sub")
        if subject:
            if not scopes <= self._delegated:
                raise Refusal(self._error("unauthorized_client"))
            if self._find_user(str(subject)) is None:
                raise _grant_refused("Invalid email or User ID")
        return scopes

    def _may(self, request: Request, privilege: str, *scopes: str) -> None:
        grant = self._bearers.grant(request.bearer, self._now())
        if grant is None:
            raise Refusal(_api_error("authError"))
        has, subject = grant
        if not has & {*scopes}:
            raise Refusal(_api_error("insufficientPermissions"))
        acts_for = self._find_user(subject) if subject else None
        allowed = bool(acts_for and acts_for["isAdmin"]) if subject else privilege in self._privileges
        if not allowed:
            raise Refusal(_api_error("forbidden"))
        if not subject and "my_customer" in (request.query.get("customer"), *request.path.split("/")):
            raise Refusal(_api_error("badRequest"))

    def _within(self, request: Request) -> str:
        """The domain that is asked for; nothing for the whole company."""
        customer, domain = request.query.get("customer"), request.query.get("domain")
        if customer is not None:
            self._is_ours(customer)
            return ""
        if domain is None:
            raise Refusal(_api_error("badRequest"))
        if domain not in self._domains:
            raise Refusal(_api_error("notFound", "Domain not found."))
        return domain

    def _is_ours(self, customer: str) -> None:
        if customer not in (CUSTOMER, "my_customer"):
            raise Refusal(_api_error("forbidden"))

    def _find_user(self, key: str) -> Json | None:
        if key in self._people:
            return self._people[key]
        key = key.lower()
        return next((each for each in self._people.values() if key in _addresses(each)), None)

    def _find_group(self, key: str) -> Json:
        found = self._groups.get(key) or next(
            (each for each in self._groups.values() if each["email"] == key.lower()), None
        )
        if key in self._foreign:
            raise Refusal(_api_error("forbidden"))
        if found is None:
            raise Refusal(_api_error("notFound", "Resource Not Found: groupKey"))
        return found

    def _list_users(self, request: Request) -> Json:
        _knows(
            request, "customer", "domain", "maxResults", "pageToken", "projection", "query", "showDeleted", "viewType",
        )  # fmt: skip
        self._may(request, "users", READ_USERS)
        domain = self._within(request)
        wanted = _query(request.query.get("query", ""))
        full = _projection(request) == "full"
        deleted = request.query.get("showDeleted", "false").lower() == "true"

        def found() -> Mapping[str, Json]:
            return {
                each["id"]: _projected(each, full)
                for each in (self._still_deleted() if deleted else self._people.values())
                if (not domain or each["primaryEmail"].endswith(f"@{domain}")) and wanted(each)
            }

        return self._listed(request, "users", USER, found, _number(request, 500, 100))

    def _get_user(self, request: Request, key: str) -> Json:
        _knows(request, "projection", "viewType")
        self._may(request, "users", READ_USERS)
        full = _projection(request) == "full"
        found = self._find_user(key)
        if found is None and any(
            key == each["id"] or key in _addresses(each) for each in self._still_deleted()
        ):
            raise Refusal(_api_error("conditionNotMet"))
        if found is None:
            raise Refusal(_api_error("notFound", "Resource Not Found: userKey"))
        return _masked(request, _projected(found, full), USER)

    def _list_groups(self, request: Request) -> Json:
        _knows(request, "customer", "domain", "maxResults", "pageToken", "userKey")
        self._may(request, "groups", READ_GROUPS)
        member = request.query.get("userKey")
        domain = "" if member else self._within(request)

        def found() -> Mapping[str, Json]:
            return {
                key: self._counted(each)
                for key, each in self._groups.items()
                if (not domain or each["email"].endswith(f"@{domain}"))
                and (not member or any(member in (one["id"], one.get("email")) for one in self._members[key]))
            }

        return self._listed(request, "groups", GROUP, found, _number(request, 200, 200))

    def _get_group(self, request: Request, key: str) -> Json:
        _knows(request)
        self._may(request, "groups", READ_GROUPS)
        return _masked(request, self._counted(self._find_group(key)), GROUP)

    def _counted(self, found: Json) -> Json:
        return found | {"directMembersCount": str(len(self._members[found["id"]]))}

    def _list_members(self, request: Request, key: str) -> Json:
        _knows(request, "maxResults", "pageToken", "roles")
        self._may(request, "groups", READ_GROUPS, READ_MEMBERS)
        roles = request.query.get("roles", "OWNER,MANAGER,MEMBER").split(",")
        among = self._members[self._find_group(key)["id"]]

        def found() -> Mapping[str, Json]:
            return {each["id"]: each for each in among if each["role"] in roles}

        return self._listed(request, "members", MEMBER, found, _number(request, 200, 200))

    def _list_org_units(self, request: Request, customer: str) -> Json:
        _knows(request, "type", "orgUnitPath")
        self._may(request, "orgunits", READ_ORG_UNITS)
        self._is_ours(customer)
        if request.query.get("type") != "all":
            raise Refusal(
                _api_error("badRequest", "This test directory lists organisational units only with type=all.")
            )
        content: Json = {"kind": "admin#directory#orgUnits", "etag": '"o"'}
        if self._org_units:
            content["organizationUnits"] = self._org_units
        return _masked(request, content, {**ANSWERS["organizationUnits"], "organizationUnits": ORG_UNIT})

    def _after(self, request: Request) -> str:
        if "pageToken" not in request.query:
            return ""
        token = tokens.marked(request.query["pageToken"])
        if token is None or token.get("list") != request.path:
            raise Refusal(_api_error("invalid", "Invalid Input: pageToken"))
        if self._now() > token["at"] + PAGE_TOKEN_ENDS_AFTER_S:
            raise Refusal(_api_error("gone"))
        return str(token["after"])

    def _listed(
        self,
        request: Request,
        key: str,
        fields: masks.Fields,
        found: Callable[[], Mapping[str, Json]],
        count: int,
    ) -> Json:
        paging = {"fields", "maxResults", "pageToken"}
        asked = frozenset(item for item in request.query.items() if item[0] not in paging)
        page, last = self._listing((request.path, asked), found).page(self._after(request), count)
        content: Json = {"kind": f"admin#directory#{key}", "etag": '"l"'}
        if page:
            content[key] = page
        if last:
            content["nextPageToken"] = tokens.mark({"after": last, "list": request.path, "at": self._now()})
        return _masked(request, content, {**ANSWERS[key], key: fields})

    def _still_deleted(self) -> list[Json]:
        """Whoever was deleted in the last 20 days."""
        return [
            each | {"deletionTime": _iso(at)}
            for each, at in self._deleted.values()
            if self._now() <= at + DELETED_FOR_S
        ]


def _api_error(reason: str, message: str = "") -> Answer:
    status, domain, usual = ERRORS[reason]
    one = {"message": message or usual, "domain": domain, "reason": reason}
    error: Json = {"code": status, "message": message or usual, "errors": [one]}
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'} if status == 401 else {}
    return Answer({"error": error}, status, headers)


def _grant_refused(description: str) -> Refusal:
    return Refusal(Answer({"error": "invalid_grant", "error_description": description}, 400))


def _is_timely(claims: Mapping[str, Any], now: float) -> bool:
    begins, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        return False
    return (
        begins <= now + CLOCK_LEEWAY_S
        and now <= ends + CLOCK_LEEWAY_S
        and 0 < ends - begins <= ASSERTION_ENDS_AFTER_S
    )


def _knows(request: Request, *parameters: str) -> None:
    unknown = request.query.keys() - STANDARD - {*parameters}
    if unknown:
        raise Refusal(_api_error("badRequest", f"This test directory does not know {sorted(unknown)}."))


def _number(request: Request, most: int, default: int) -> int:
    text = request.query.get("maxResults", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        message = f"Invalid value '{text}'. Values must be within the range: [1, {most}]"
        raise Refusal(_api_error("invalidParameter", message))
    return int(text)


def _projection(request: Request) -> str:
    projection = request.query.get("projection", "basic")
    if projection not in ("basic", "full") or request.query.get("viewType", "admin_view") != "admin_view":
        raise Refusal(_api_error("badRequest", "This test directory knows basic and full, and admin_view."))
    return projection


def _projected(found: Json, full: bool) -> Json:
    return found if full else {key: value for key, value in found.items() if key != "customSchemas"}


def _masked(request: Request, content: Json, fields: masks.Fields) -> Json:
    if "fields" not in request.query:
        return content
    try:
        left: Json = masks.applied(masks.parsed(request.query["fields"], fields), content)
        return left
    except masks.UnknownFieldError as error:
        raise Refusal(_api_error("invalidParameter", f"Invalid field selection {error}")) from error


def _query(text: str) -> Callable[[Json], bool]:
    """A search: `isSuspended=true`, `isArchived=false`, `orgUnitPath='/Sales'`, `email:person*`, all of which must fit."""
    clauses = re.findall(r"""(\w+)([=:])('[^']*'|"[^"]*"|\S+)""", text)
    if " ".join("".join(clause) for clause in clauses) != text:
        raise Refusal(_api_error("invalid", "Invalid Input: query"))
    tests = [_clause(name, value.strip("'\"")) for name, _operator, value in clauses]
    return lambda each: all(test(each) for test in tests)


def _clause(name: str, value: str) -> Callable[[Json], bool]:
    if name in ("isSuspended", "isArchived"):
        key = name.removeprefix("is").lower()
        return lambda each: each.get(key, False) is (value == "true")
    if name == "orgUnitPath":
        return lambda each: f"{each['orgUnitPath']}/".startswith(f"{value}/")
    if name == "email":
        if value.endswith("*"):
            return lambda each: each["primaryEmail"].startswith(value[:-1])
        return lambda each: value in _addresses(each)
    raise Refusal(_api_error("invalid", "Invalid Input: query"))


def _addresses(each: Json) -> set[str]:
    return {address.lower() for address in (each["primaryEmail"], *each.get("aliases", ()))}


def _member(key: str, address: str, kind: str) -> Json:
    member = {
        "kind": "admin#directory#member",
        "etag": f'"m{key}"',
        "id": key,
        "role": "MEMBER",
        "type": kind,
    }
    return member | ({"email": address, "status": "ACTIVE"} if address else {})


def _org_unit(number: int, path: str) -> Json:
    parent, _, name = path.rpartition("/")
    return {
        "kind": "admin#directory#orgUnit",
        "etag": f'"o{number}"',
        "name": name,
        "description": "",
        "orgUnitPath": path,
        "orgUnitId": f"id:o{number}",
        "parentOrgUnitPath": parent or "/",
        "parentOrgUnitId": "id:root",
        "blockInheritance": False,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
