"""People and groups of a Google Workspace."""

from typing import Any

from tests.support.directories.serving import Json

CUSTOMER = "C03northw"
DOMAIN = "northwind.example"
ADMINISTRATOR = f"admin@{DOMAIN}"


def person(number: int, **changes: Any) -> Json:
    """Somebody with everything that Google may say, also what Tidings must not take; `changes` replace outermost keys."""
    name = f"Person {number:06}"
    address = f"person.{number:06}@{DOMAIN}"
    return {
        "kind": "admin#directory#user",
        "id": f"1{number:020}",
        "etag": f'"e{number}"',
        "primaryEmail": address,
        "name": {"givenName": "Person", "familyName": f"{number:06}", "fullName": name},
        "isAdmin": False,
        "isDelegatedAdmin": False,
        "lastLoginTime": "2026-11-20T08:00:00.000Z",
        "creationTime": "2024-01-15T09:30:00.000Z",
        "agreedToTerms": True,
        "suspended": False,
        "archived": False,
        "isGuestUser": False,
        "changePasswordAtNextLogin": False,
        "ipWhitelisted": False,
        "emails": [{"address": address, "primary": True}, {"address": f"home.{number}@mail.example", "type": "home"}],
        "externalIds": [{"value": f"N-{number}", "type": "organization"}],
        "relations": [{"value": ADMINISTRATOR, "type": "manager"}],
        "addresses": [
            {"type": "work", "formatted": "1 rue du Nord\n75002 Paris", "countryCode": "FR", "primary": True},
            {"type": "home", "formatted": f"{number} home street"},
        ],
        "organizations": [{"title": "Engineer", "primary": True, "department": "R&D", "type": "work", "customType": ""}],
        "phones": [
            {"value": f"+33 1 40 {number:06}", "type": "work", "primary": True},
            {"value": f"+33 6 10 {number:06}", "type": "work_mobile"},
            {"value": f"+33 6 99 {number:06}", "type": "mobile"},
            {"value": f"+33 9 99 {number:06}", "type": "home"},
        ],
        "aliases": [f"alias.{number:06}@{DOMAIN}"],
        "locations": [{"type": "desk", "area": "desk", "buildingId": "PAR-1", "floorName": "2", "floorSection": "A"}],
        "customerId": CUSTOMER,
        "orgUnitPath": "/Sales" if number % 3 else "/",
        "isMailboxSetup": True,
        "isEnrolledIn2Sv": False,
        "isEnforcedIn2Sv": False,
        "includeInGlobalAddressList": True,
        "recoveryEmail": f"recovery.{number}@mail.example",
        "recoveryPhone": f"+3366600{number:06}",
    } | changes  # fmt: skip


def people(count: int, first: int = 1) -> list[Json]:
    """So many of them."""
    return [person(number) for number in range(first, first + count)]


def group(number: int, **changes: Any) -> Json:
    """A group without members."""
    return {
        "kind": "admin#directory#group",
        "id": f"g{number:014}",
        "etag": f'"g{number}"',
        "email": f"group.{number}@{DOMAIN}",
        "name": f"Group {number}",
        "description": "",
        "adminCreated": True,
    } | changes
