"""The directories of tests answer as their vendors do, also what goes wrong."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.directories import (
    assertions,
    entra,
    faults,
    google,
    google_samples,
    microsoft,
    microsoft_samples,
)
from tests.support.directories.faults import Fault
from tests.support.directories.google import GoogleDirectory
from tests.support.directories.microsoft import DeltaShape, MicrosoftDirectory
from tests.support.directories.rerouting import environment, rerouted
from tests.support.directories.serving import directory_process

GOOGLE_API = "https://admin.googleapis.com/admin/directory/v1"
GRAPH = "https://graph.microsoft.com/v1.0"
TOKENS = f"https://login.microsoftonline.com/{entra.TENANT}/oauth2/v2.0/token"


@pytest.fixture(scope="module")
def google_process() -> Iterator[GoogleDirectory]:
    with directory_process(GoogleDirectory) as directory:
        yield directory


@pytest.fixture(scope="module")
def microsoft_process() -> Iterator[MicrosoftDirectory]:
    with directory_process(MicrosoftDirectory) as directory:
        yield directory


@pytest.fixture
def workspace(google_process: GoogleDirectory) -> Iterator[GoogleDirectory]:
    """Empty, with a service account that may read everything in its own name; every host is rerouted."""
    google_process.empty()
    google_process.give_role("users", "groups", "orgunits")
    with rerouted(dict.fromkeys(google.HOSTS, google_process.port())):
        yield google_process


@pytest.fixture
def tenant(microsoft_process: MicrosoftDirectory) -> Iterator[MicrosoftDirectory]:
    """Empty, with an application that may read everything by a secret; every host is rerouted."""
    microsoft_process.empty()
    microsoft_process.add_secret("a secret")
    microsoft_process.permit(microsoft.READ_USERS, microsoft.READ_MEMBERS)
    with rerouted(dict.fromkeys(microsoft.HOSTS, microsoft_process.port())):
        yield microsoft_process


def signed_in_to_google(workspace: GoogleDirectory, *scopes: str, **claims: Any) -> requests.Session:
    form = assertions.for_google(workspace.key_file(), *(scopes or sorted(google.ALL_SCOPES)), **claims)
    answer = requests.post(google.TOKEN_URI, form, timeout=30)
    assert answer.status_code == 200, answer.text
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def signed_in_to_microsoft() -> requests.Session:
    answer = requests.post(TOKENS, with_secret("a secret"), timeout=30)
    assert answer.status_code == 200, answer.text
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def with_secret(text: str, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": entra.APPLICATION,
        "scope": "https://graph.microsoft.com/.default",
        "client_secret": text,
    } | changes


def pages_of_google(session: requests.Session, path: str, **query: str) -> Iterator[dict[str, Any]]:
    while True:
        page = session.get(f"{GOOGLE_API}/{path}", params=query, timeout=30).json()
        yield page
        if "nextPageToken" not in page:
            return
        query["pageToken"] = page["nextPageToken"]


def rounds(session: requests.Session, address: str) -> tuple[list[list[dict[str, Any]]], str]:
    """The pages of a round of changes, and the link to the next."""
    pages = []
    while True:
        page = session.get(address, timeout=30).json()
        pages.append(page["value"])
        if "@odata.deltaLink" in page:
            return pages, page["@odata.deltaLink"]
        address = page["@odata.nextLink"]


def reason(answer: requests.Response) -> tuple[int, str]:
    """The status with Google's reason or Microsoft's code."""
    error = answer.json()["error"]
    return answer.status_code, error["errors"][0]["reason"] if "errors" in error else error["code"]


def test_google_lists_people_page_by_page_and_applies_the_mask(workspace: GoogleDirectory) -> None:
    workspace.put_people(google_samples.people(1_200))
    session = signed_in_to_google(workspace)
    everybody = {"customer": google_samples.CUSTOMER, "maxResults": "500"}
    mask = "nextPageToken,users(id,name/givenName,phones(type,value))"
    pages = list(pages_of_google(session, "users", **everybody, fields=mask))
    assert [len(page["users"]) for page in pages] == [500, 500, 200]
    assert len({each["id"] for page in pages for each in page["users"]}) == 1_200
    assert pages[0].keys() == {"users", "nextPageToken"}
    assert pages[0]["users"][0].keys() == {"id", "name", "phones"}
    assert pages[0]["users"][0]["name"] == {"givenName": "Person"}
    assert all(phone.keys() == {"type", "value"} for phone in pages[0]["users"][0]["phones"])
    [only] = pages_of_google(session, "users", **everybody, fields="users(id)")
    assert len(only["users"]) == 500  # nobody hears of the others
    for wrong in ("users(nme)", "users(id", "users(id))", "users//id", ""):
        answer = session.get(f"{GOOGLE_API}/users", params={**everybody, "fields": wrong}, timeout=30)
        assert reason(answer) == (400, "invalidParameter"), wrong
    for query, status in (
        ({"maxResults": "501"}, 400), ({"customer": "C0other"}, 403), ({"pageToken": "no"}, 400), ({"query": "x"}, 400),
        ({"query": "orgUnitPath='/Sales' isSuspended=false"}, 200), ({"pageTokn": "x"}, 400),
    ):  # fmt: skip
        assert session.get(f"{GOOGLE_API}/users", params=everybody | query, timeout=30).status_code == status
    workspace.move_clock(
        -3_600
    )  # the first token of a list ends after three days, the access token after an hour
    late = {**everybody, "pageToken": pages[0]["nextPageToken"]}
    workspace.move_clock(3_600 + 3 * 86_400 + 60)
    with pytest.raises(AssertionError, match="short-lived token"):
        signed_in_to_google(workspace)
    now = int(time.time()) + 3 * 86_400
    session = signed_in_to_google(workspace, google.READ_USERS, iat=now, exp=now + 600)
    assert reason(session.get(f"{GOOGLE_API}/users", params=late, timeout=30)) == (410, "gone")


def test_google_gives_tokens_only_to_who_may_have_them(workspace: GoogleDirectory) -> None:
    key, now = workspace.key_file(), int(time.time())
    stranger = assertions.self_signed().key.decode()
    administrator = google_samples.person(0, primaryEmail=google_samples.ADMINISTRATOR, isAdmin=True)
    workspace.put_people([administrator, google_samples.person(1)])

    def refused(form: dict[str, str]) -> tuple[int, str, str]:
        answer = requests.post(google.TOKEN_URI, form, timeout=30)
        return answer.status_code, answer.json()["error"], answer.json().get("error_description", "")

    ask = assertions.for_google
    for form, status, error, words in (
        (ask(key | {"private_key": stranger}, google.READ_USERS), 400, "invalid_grant", "Invalid JWT Signature"),
        (ask(key | {"private_key_id": "other"}, google.READ_USERS), 400, "invalid_grant", "Invalid JWT Signature"),
        (ask(key, google.READ_USERS, aud="https://other.example/token"), 400, "invalid_grant", "audience"),
        (ask(key, google.READ_USERS, iat=now + 900, exp=now + 1_000), 400, "invalid_grant", "iat and exp"),
        (ask(key, google.READ_USERS, exp=now + 7_200), 400, "invalid_grant", "iat and exp"),
        (ask(key, google.READ_USERS, iss="no@other.example"), 400, "invalid_grant", "account not found"),
        (ask(key, "everything"), 400, "invalid_scope", ""),
        (ask(key, google.READ_USERS, sub=google_samples.ADMINISTRATOR), 401, "unauthorized_client", ""),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", ""),
    ):  # fmt: skip
        said = refused(form)
        assert said[:2] == (status, error)
        assert words in said[2]

    def read(session: requests.Session, customer: str = google_samples.CUSTOMER) -> requests.Response:
        return session.get(f"{GOOGLE_API}/users", params={"customer": customer}, timeout=30)

    own = signed_in_to_google(workspace, google.READ_USERS)
    assert read(own).status_code == 200
    assert reason(read(own, "my_customer")) == (400, "badRequest")
    assert reason(read(signed_in_to_google(workspace, google.READ_GROUPS))) == (
        403,
        "insufficientPermissions",
    )
    workspace.give_role("groups")
    assert reason(read(own)) == (403, "forbidden")
    workspace.delegate(google.READ_USERS)
    for_administrator = signed_in_to_google(workspace, google.READ_USERS, sub=google_samples.ADMINISTRATOR)
    assert len(read(for_administrator, "my_customer").json()["users"]) == 2
    for_somebody = signed_in_to_google(
        workspace, google.READ_USERS, sub=google_samples.person(1)["primaryEmail"]
    )
    assert reason(read(for_somebody)) == (403, "forbidden")
    assert "User ID" in refused(ask(key, google.READ_USERS, sub="no@northwind.example"))[2]
    workspace.disable_key()
    assert reason(read(for_administrator)) == (401, "authError")


def test_google_tells_of_the_deleted_and_of_groups(workspace: GoogleDirectory) -> None:
    ids = [each["id"] for each in google_samples.people(4)]
    workspace.put_people(google_samples.people(4))
    session = signed_in_to_google(workspace)
    workspace.delete_people(ids[:1])
    workspace.forget_people(ids[1:2])
    assert reason(session.get(f"{GOOGLE_API}/users/{ids[0]}", timeout=30)) == (412, "conditionNotMet")
    assert reason(session.get(f"{GOOGLE_API}/users/{ids[1]}", timeout=30)) == (404, "notFound")
    assert (
        session.get(f"{GOOGLE_API}/users/alias.000003@northwind.example", timeout=30).json()["id"] == ids[2]
    )
    customer = {"customer": google_samples.CUSTOMER}
    [gone] = pages_of_google(session, "users", **customer, showDeleted="true")
    assert [each["id"] for each in gone["users"]] == ids[:1]

    [outer, inner, empty] = [google_samples.group(number) for number in (1, 2, 3)]
    workspace.put_groups([outer, inner, empty])
    workspace.put_members(outer["id"], ids[2:3], [inner["id"]], foreign_groups=["f1"], everybody=True)
    workspace.put_members(inner["id"], ids[3:], [outer["id"]], outsiders=["guest@other.example"])
    [listed] = pages_of_google(session, "groups", **customer)
    assert [each["directMembersCount"] for each in listed["groups"]] == ["4", "3", "0"]
    [members] = pages_of_google(session, f"groups/{outer['email']}/members")
    assert [each["type"] for each in members["members"]] == ["USER", "CUSTOMER", "GROUP", "GROUP"]
    assert "members" not in session.get(f"{GOOGLE_API}/groups/{empty['id']}/members", timeout=30).json()
    assert reason(session.get(f"{GOOGLE_API}/groups/f1/members", timeout=30)) == (403, "forbidden")
    units = f"{GOOGLE_API}/customer/{google_samples.CUSTOMER}/orgunits?type=all"
    assert "organizationUnits" not in session.get(units, timeout=30).json()
    workspace.put_org_units(["/Sales", "/Sales/North"])
    found = session.get(units, timeout=30).json()["organizationUnits"]
    assert [each["parentOrgUnitPath"] for each in found] == ["/", "/Sales"]


def test_microsoft_gives_tokens_only_to_who_may_have_them(tenant: MicrosoftDirectory) -> None:
    pair, other, ended, now = (
        assertions.self_signed(),
        assertions.self_signed(),
        assertions.self_signed(days=0),
        int(time.time()),
    )
    tenant.add_certificate(pair.certificate)
    tenant.add_certificate(ended.certificate)
    tenant.add_secret("an old secret", -1)
    right = assertions.for_microsoft(pair)
    found = requests.get(
        f"https://login.microsoftonline.com/{entra.TENANT}/v2.0/.well-known/openid-configuration", timeout=30
    )
    assert found.json()["token_endpoint"] == TOKENS
    assert requests.post(TOKENS, right, timeout=30).json()["token_type"] == "Bearer"
    assert requests.post(TOKENS, with_secret("a secret"), timeout=30).status_code == 200
    ask = assertions.for_microsoft
    for form, code in (
        (right, 50027),  # for the second time
        (ask(other), 700027),
        (ask(assertions.SelfSigned(pair.certificate, other.key)), 700027),
        (ask(ended), 700027),
        (ask(pair, aud="https://login.microsoftonline.com/other/oauth2/v2.0/token"), 700023),
        (ask(pair, nbf=now + 900), 700024),
        (ask(pair, exp=now - 900), 700024),
        (ask(pair, graph="graph.microsoft.us"), 1002012),
        (with_secret("a wrong secret"), 7000215),
        (with_secret("an old secret"), 7000222),
        (with_secret("a secret", client_id="other"), 700016),
        (
            {"grant_type": "client_credentials", "client_id": entra.APPLICATION, "scope": right["scope"]},
            7000216,
        ),
    ):
        refused = requests.post(TOKENS, form, timeout=30)
        assert refused.json()["error_codes"] == [code]
        assert refused.json()["error_description"].startswith(f"AADSTS{code}: ")
        assert refused.status_code in (400, 401)
    elsewhere = requests.post(TOKENS.replace(entra.TENANT, "other"), with_secret("a secret"), timeout=30)
    assert elsewhere.json()["error_codes"] == [90002]


def test_microsoft_tells_changes_in_rounds(tenant: MicrosoftDirectory) -> None:
    people = microsoft_samples.people(450)
    del people[0]["mobilePhone"]
    people[1]["mobilePhone"] = None
    tenant.put_people(people)
    tenant.shape_deltas(DeltaShape(empty_pages=1, repeated=2))
    session = signed_in_to_microsoft()
    pages, link = rounds(session, f"{GRAPH}/users/delta?$select=id,mail,mobilePhone")
    assert [len(page) for page in pages] == [0, 200, 200, 52]
    assert pages[1][0].keys() == {"id", "mail"}  # never set
    assert pages[1][1]["mobilePhone"] is None  # cleared
    assert link.startswith("https://graph.microsoft.com/v1.0/users/delta?$deltatoken=")

    tenant.shape_deltas(DeltaShape(replayed=1))
    tenant.put_people([microsoft_samples.person(3, mail="new@northwind.example")])
    tenant.delete_people([microsoft_samples.user_id(1)])
    tenant.forget_people([microsoft_samples.user_id(2)])
    [page], after = rounds(session, link)
    told = {each["id"]: each.get("@removed", each.get("mail")) for each in page}
    assert told == {
        microsoft_samples.user_id(450): people[449]["mail"],  # told before
        microsoft_samples.user_id(1): {"reason": "changed"},
        microsoft_samples.user_id(2): {"reason": "deleted"},
        microsoft_samples.user_id(3): "new@northwind.example",
    }
    assert rounds(session, link)[0] == [page]  # a round can be asked for again
    tenant.shape_deltas(DeltaShape())
    assert rounds(session, after)[0] == [[]]
    assert rounds(session, f"{GRAPH}/users/delta?$deltatoken=latest")[0] == [[]]

    tenant.move_clock(7 * 86_400 + 60)
    tenant.add_secret("a secret")
    session = signed_in_to_microsoft()
    expired = session.get(after, timeout=30, allow_redirects=False)
    assert reason(expired) == (410, "resyncRequired")
    assert sum(map(len, rounds(session, expired.headers["Location"])[0])) == 448
    tenant.shape_deltas(DeltaShape(expired_as=400))
    assert reason(session.get(after, timeout=30)) == (400, "syncStateNotFound")


def test_microsoft_lists_people_and_groups_to_who_may_read_them(tenant: MicrosoftDirectory) -> None:
    tenant.put_people(microsoft_samples.people(1_000))
    tenant.delete_people([microsoft_samples.user_id(1)])
    session = signed_in_to_microsoft()
    eventual = {"ConsistencyLevel": "eventual"}
    first = session.get(f"{GRAPH}/users?$select=id,mail&$top=999", timeout=30).json()
    assert "@odata.nextLink" not in first
    assert first["value"][0] == {
        "id": microsoft_samples.user_id(2),
        "mail": "person.000002@northwind.example",
    }
    assert session.get(f"{GRAPH}/users/$count", headers=eventual, timeout=30).text == "999"
    [deleted] = session.get(
        f"{GRAPH}/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime&$top=999", timeout=30
    ).json()["value"]
    assert deleted["id"] == microsoft_samples.user_id(1)
    outer, inner = microsoft_samples.group(1), microsoft_samples.group(2)
    tenant.put_groups([outer, inner])
    tenant.put_members(outer["id"], [microsoft_samples.user_id(2)], [inner["id"]])
    tenant.put_members(inner["id"], [microsoft_samples.user_id(3)], [outer["id"]])
    below = f"{GRAPH}/groups/{outer['id']}/transitiveMembers/microsoft.graph.user?$select=id,mail&$top=1"
    assert reason(session.get(f"{below}&$count=true", timeout=30)) == (400, "Request_UnsupportedQuery")
    assert reason(session.get(below, headers=eventual, timeout=30)) == (400, "Request_UnsupportedQuery")
    page = session.get(f"{below}&$count=true", headers=eventual, timeout=30).json()
    rest = session.get(page["@odata.nextLink"], headers=eventual, timeout=30).json()
    assert page["@odata.count"] == 2
    assert [each["mail"][:13] for each in page["value"] + rest["value"]] == ["person.000002", "person.000003"]
    for path, said in (
        ("users/$count", (400, "Request_UnsupportedQuery")), ("users?$top=1000", (400, "Request_BadRequest")),
        ("users?$select=phone", (400, "BadRequest")), ("users/nobody", (404, "Request_ResourceNotFound")),
        (f"users/{microsoft_samples.user_id(1)}", (404, "Request_ResourceNotFound")),
        ("users/delta?$top=5", (400, "Request_UnsupportedQuery")), ("me", (400, "BadRequest")),
        ("organization", (403, "Authorization_RequestDenied")),
    ):  # fmt: skip
        assert reason(session.get(f"{GRAPH}/{path}", timeout=30)) == said, path
    tenant.permit(microsoft.READ_MEMBERS)
    assert reason(session.get(f"{GRAPH}/users", timeout=30)) == (403, "Authorization_RequestDenied")
    page = session.get(f"{below}&$count=true", headers=eventual, timeout=30).json()
    assert page["value"] == [{"id": microsoft_samples.user_id(2), "mail": None}]
    tenant.forget_credentials()
    assert reason(session.get(f"{GRAPH}/users", timeout=30)) == (401, "InvalidAuthenticationToken")


def test_faults_come_as_scripted_and_then_end(workspace: GoogleDirectory) -> None:
    workspace.put_people(google_samples.people(3))
    session = signed_in_to_google(workspace)
    address = f"{GOOGLE_API}/users?customer={google_samples.CUSTOMER}&maxResults=2"
    truth = session.get(address, timeout=30).json()

    def with_fault(fault: Fault) -> requests.Response:
        workspace.clear_faults()
        workspace.add_fault(fault)
        return session.get(address, timeout=30)

    busy = with_fault(faults.too_many("/users", "7", error="rateLimitExceeded"))
    assert (*reason(busy), busy.headers["Retry-After"]) == (429, "rateLimitExceeded", "7")
    assert session.get(address, timeout=30).json()["users"] == truth["users"]  # once
    for name in ("quotaExceeded", "userRateLimitExceeded", "forbidden", "accessNotConfigured"):
        assert reason(with_fault(Fault("GET .*/users", error=name))) == (403, name)
    assert with_fault(faults.unavailable("/users")).status_code == 503
    assert with_fault(faults.page_of_html("/users")).headers["Content-Type"] == "text/html"
    assert with_fault(faults.other_json("/users", b'{"users": 3}')).json() == {"users": 3}
    assert "users" not in with_fault(Fault("/users", without=("users",))).json()
    flagless = with_fault(Fault("/users", without=("users.*.suspended",))).json()["users"]
    assert len(flagless) == 2
    assert not any("suspended" in each for each in flagless)
    assert with_fault(Fault("/users", replaced={"nextPageToken": "x"})).json()["nextPageToken"] == "x"
    assert len(with_fault(Fault("/users", inflates_to=10_000_000)).content) == 10_000_000
    with pytest.raises(requests.ConnectionError):
        with_fault(Fault("/users", loses_connection=True))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        with_fault(Fault("/users", cut_at=100))
    workspace.clear_faults()
    workspace.add_fault(Fault("/users", pause_s=0.3))
    with pytest.raises(requests.ReadTimeout):
        session.get(address, timeout=0.1)
    workspace.clear_faults()
    workspace.add_fault(Fault("pageToken=", loops=True))
    first = session.get(address, timeout=30).json()
    again = session.get(f"{address}&pageToken={first['nextPageToken']}", timeout=30).json()
    assert again["nextPageToken"] == first["nextPageToken"]
    workspace.forget_requests()
    session.get(address, timeout=30)
    [asked] = workspace.requests()
    assert (
        asked.line
        == f"GET admin.googleapis.com/admin/directory/v1/users?customer={google_samples.CUSTOMER}&maxResults=2"
    )


def test_whatever_is_asked_of_another_host_fails_and_is_known(tenant: MicrosoftDirectory) -> None:
    tenant.put_people(microsoft_samples.people(1))
    elsewhere = {"@odata.nextLink": "https://graph.other.example/v1.0/users?$skiptoken=x"}
    tenant.add_fault(Fault("/v1.0/users", replaced=elsewhere))
    with rerouted(dict.fromkeys(microsoft.HOSTS, tenant.port())) as strayed:
        session = signed_in_to_microsoft()
        page = session.get(f"{GRAPH}/users", timeout=30)
        assert page.url == f"{GRAPH}/users"
        with pytest.raises(requests.ConnectionError):
            session.get(page.json()["@odata.nextLink"], timeout=30)
        with pytest.raises(requests.ConnectionError):
            session.get("http://graph.microsoft.com/v1.0/users", timeout=30)
    assert strayed.addresses == ["https://graph.other.example", "http://graph.microsoft.com"]
    tenant.move_clock(600)
    tenant.clear_faults()
    at = requests.get(f"http://127.0.0.1:{tenant.port()}/v1.0/users", timeout=30).headers["Date"]
    assert at > faults.http_date(time.time() + 500)[:5]


def test_processes_are_rerouted_with_all_that_they_start(tenant: MicrosoftDirectory) -> None:
    asks = f"import requests; print(requests.get('{GRAPH}/users', timeout=30).status_code)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {asks!r}], check=True)"
    own = os.environ | environment(dict.fromkeys(microsoft.HOSTS, tenant.port()))
    done = subprocess.run(
        [sys.executable, "-c", starts], env=own, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("401\n", "")
    assert len(tenant.requests()) == 1
