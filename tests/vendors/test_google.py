"""The test directory of Google answers in the shapes that Google publishes, and Google's own client reads it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import googleapiclient
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.support.directories import google, google_fields, google_samples
from tests.support.directories.faults import Fault
from tests.support.directories.google import GoogleDirectory
from tests.support.directories.rerouting import rerouted
from tests.support.directories.serving import directory_process

PUBLISHED = (
    Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "admin.directory_v1.json"
)
DOCUMENT = json.loads(PUBLISHED.read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["schemas"]
API = "https://admin.googleapis.com/admin/directory/v1"
PLAIN: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


@pytest.fixture
def workspace() -> Iterator[GoogleDirectory]:
    """1,200 people and some groups, for a service account that may read all."""
    with directory_process(GoogleDirectory) as directory:
        directory.give_role("users", "groups", "orgunits")
        directory.put_people(google_samples.people(1_200))
        directory.put_groups([google_samples.group(1), google_samples.group(2)])
        ids = [each["id"] for each in google_samples.people(3)]
        directory.put_members(
            google_samples.group(1)["id"],
            ids,
            [google_samples.group(2)["id"]],
            foreign_groups=["f"],
            everybody=True,
        )
        directory.put_org_units(["/Sales", "/Sales/North"])
        yield directory


def faults_of(content: Any, schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where content is not as a schema of the discovery document has it, unknown names included."""
    if "$ref" in schema:
        yield from faults_of(content, SCHEMAS[schema["$ref"]], at)
    elif schema["type"] == "object":
        yield from faults_of_object(content, schema, at)
    elif schema["type"] == "array":
        if not isinstance(content, list):
            yield f"{at} is no list"
            return
        for number, item in enumerate(content):
            yield from faults_of(item, schema["items"], f"{at}[{number}]")
    elif schema["type"] != "any":
        right = PLAIN[schema["type"]]
        if not isinstance(content, right) or (isinstance(content, bool) and right is not bool):
            yield f"{at} is {content!r}, no {schema['type']}"


def faults_of_object(content: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"{at} is no object"
        return
    known = schema.get("properties", {})
    for name, value in content.items():
        below = known.get(name, schema.get("additionalProperties"))
        if below is None:
            yield f"{at}.{name} does not exist"
        else:
            yield from faults_of(value, below, f"{at}.{name}")


UNTYPED = {
    "addresses": "UserAddress", "emails": "UserEmail", "externalIds": "UserExternalId", "locations": "UserLocation",
    "organizations": "UserOrganization", "phones": "UserPhone", "relations": "UserRelation",
}  # fmt: skip
"""Lists that the schema of a person calls `any`, and whose items have schemas of their own."""


def faults_of_person(person: dict[str, Any]) -> Iterator[str]:
    yield from faults_of(person, SCHEMAS["User"], "person")
    for name, of in UNTYPED.items():
        for item in person[name]:
            yield from faults_of(item, SCHEMAS[of], name)


def test_every_answer_has_the_shape_of_the_discovery_document(workspace: GoogleDirectory) -> None:
    with rerouted(dict.fromkeys(google.HOSTS, workspace.port())):
        session = AuthorizedSession(
            Credentials.from_service_account_info(workspace.key_file(), scopes=sorted(google.ALL_SCOPES)),
            auth_request=None,
        )
        customer = f"customer={google_samples.CUSTOMER}"
        asked = {
            f"users?{customer}&maxResults=500&projection=full": "Users",
            f"users?{customer}&showDeleted=true": "Users",
            f"users/{google_samples.person(2)['id']}": "User",
            f"groups?{customer}": "Groups",
            f"groups/{google_samples.group(1)['email']}": "Group",
            f"groups/{google_samples.group(1)['id']}/members": "Members",
            f"groups/{google_samples.group(2)['id']}/members": "Members",
            f"customer/{google_samples.CUSTOMER}/orgunits?type=all": "OrgUnits",
        }
        workspace.delete_people([google_samples.person(1)["id"]])
        for path, schema in asked.items():
            answer = session.get(f"{API}/{path}", timeout=30)
            assert answer.status_code == 200, answer.text
            assert list(faults_of(answer.json(), SCHEMAS[schema], path)) == []
            for person in answer.json().get("users", []):
                assert list(faults_of_person(person)) == []
        assert list(faults_of({"users": [{"id": 3}], "x": 1}, SCHEMAS["Users"])) == [
            ".users[0].id is 3, no string",
            ".x does not exist",
        ]
        session.close()


def test_a_mask_may_name_what_the_discovery_document_has() -> None:
    def names(schema: str) -> set[str]:
        return set(SCHEMAS[schema]["properties"])

    for fields, schema in (
        (google_fields.USER, "User"), (google_fields.NAME, "UserName"), (google_fields.GROUP, "Group"),
        (google_fields.MEMBER, "Member"), (google_fields.ORG_UNIT, "OrgUnit"),
        (google_fields.ANSWERS["users"], "Users"), (google_fields.ANSWERS["groups"], "Groups"),
        (google_fields.ANSWERS["members"], "Members"), (google_fields.ANSWERS["organizationUnits"], "OrgUnits"),
    ):  # fmt: skip
        assert set(fields) == names(schema)
    scopes = {
        "users": google.READ_USERS,
        "groups": google.READ_GROUPS,
        "members": google.READ_MEMBERS,
        "orgunits": google.READ_ORG_UNITS,
    }
    for resource, scope in scopes.items():
        assert scope in DOCUMENT["resources"][resource]["methods"]["list"]["scopes"]
    assert google.READ_MEMBERS not in DOCUMENT["resources"]["groups"]["methods"]["list"]["scopes"]


@pytest.mark.expected_logs(r"googleapiclient\.http: (Encountered 403 Forbidden|Sleeping)")
def test_googles_own_client_reads_everybody_over_three_pages(workspace: GoogleDirectory) -> None:
    root = f"http://127.0.0.1:{workspace.port()}"
    credentials = Credentials.from_service_account_info(
        workspace.key_file(f"{root}/token"), scopes=[google.READ_USERS, google.READ_GROUPS]
    )
    with build(
        "admin", "directory_v1", credentials=credentials, client_options={"api_endpoint": root}
    ) as client:
        found: list[str] = []
        pages = 0
        request = client.users().list(customer=google_samples.CUSTOMER, maxResults=500)
        while request is not None:
            page = request.execute()
            found += [each["id"] for each in page["users"]]
            pages += 1
            request = client.users().list_next(request, page)
        assert (pages, len(set(found))) == (3, 1_200)
        members = client.members().list(groupKey=google_samples.group(1)["id"]).execute()
        assert [each["type"] for each in members["members"]].count("USER") == 3

        workspace.add_fault(Fault("/users", times=1, error="userRateLimitExceeded"))
        again = client.users().list(customer=google_samples.CUSTOMER)
        again._sleep = lambda _seconds: None
        assert len(again.execute(num_retries=1)["users"]) == 100
        workspace.add_fault(Fault("/users", times=1, error="quotaExceeded"))
        with pytest.raises(HttpError) as refused:
            client.users().list(customer=google_samples.CUSTOMER).execute(num_retries=1)
        assert refused.value.status_code == 403
        assert refused.value.error_details[0]["reason"] == "quotaExceeded"


def test_googles_own_sign_in_tells_each_refusal(workspace: GoogleDirectory) -> None:
    key = workspace.key_file()
    with rerouted(dict.fromkeys(google.HOSTS, workspace.port())), requests.Session() as session:
        delegated = Credentials.from_service_account_info(
            key, scopes=[google.READ_USERS], subject=google_samples.ADMINISTRATOR
        )
        with pytest.raises(RefreshError, match="unauthorized_client"):
            delegated.refresh(Request(session))
        workspace.disable_key()
        own = Credentials.from_service_account_info(key, scopes=[google.READ_USERS])
        with pytest.raises(RefreshError, match="invalid_grant: Invalid JWT Signature"):
            own.refresh(Request(session))
