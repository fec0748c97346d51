"""People and groups of a Microsoft 365 tenant, and the names of the fields that may be asked for."""

from typing import Any

from tests.support.directories.serving import Json

DOMAIN = "northwind.example"
SINCE = "2024-01-15T09:30:00Z"
USER_FIELDS = frozenset(
    [
        "accountEnabled",
        "ageGroup",
        "businessPhones",
        "city",
        "companyName",
        "consentProvidedForMinor",
        "country",
        "createdDateTime",
        "creationType",
        "deletedDateTime",
        "department",
        "displayName",
        "employeeHireDate",
        "employeeId",
        "employeeOrgData",
        "employeeType",
        "externalUserState",
        "externalUserStateChangeDateTime",
        "faxNumber",
        "givenName",
        "id",
        "identities",
        "imAddresses",
        "isResourceAccount",
        "jobTitle",
        "lastPasswordChangeDateTime",
        "legalAgeGroupClassification",
        "mail",
        "mailNickname",
        "mobilePhone",
        "officeLocation",
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesExtensionAttributes",
        "onPremisesImmutableId",
        "onPremisesLastSyncDateTime",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "onPremisesUserPrincipalName",
        "otherMails",
        "passwordPolicies",
        "postalCode",
        "preferredLanguage",
        "proxyAddresses",
        "securityIdentifier",
        "showInAddressList",
        "signInSessionsValidFromDateTime",
        "state",
        "streetAddress",
        "surname",
        "usageLocation",
        "userPrincipalName",
        "userType",
    ]
)
USER_BY_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage",
    "surname", "userPrincipalName", "id",
)  # fmt: skip
GROUP_FIELDS = frozenset(
    [
        "classification",
        "createdDateTime",
        "deletedDateTime",
        "description",
        "displayName",
        "expirationDateTime",
        "groupTypes",
        "id",
        "isAssignableToRole",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "onPremisesSyncEnabled",
        "proxyAddresses",
        "renewedDateTime",
        "securityEnabled",
        "securityIdentifier",
        "visibility",
    ]
)
ORGANIZATION_FIELDS = frozenset(["countryLetterCode", "displayName", "id", "tenantType", "verifiedDomains"])


def person(number: int, **changes: Any) -> Json:
    """Somebody with much that Tidings must not take; `changes` replace fields, and a field that is left out was never set."""
    address = f"person.{number:06}@{DOMAIN}"
    return {
        "id": user_id(number),
        "accountEnabled": True,
        "userType": "Member",
        "displayName": f"Person {number:06}",
        "givenName": "Person",
        "surname": f"{number:06}",
        "mail": address,
        "mailNickname": f"person.{number:06}",
        "userPrincipalName": address,
        "proxyAddresses": [f"SMTP:{address}", f"smtp:alias.{number:06}@{DOMAIN}"],
        "otherMails": [f"home.{number}@mail.example"],
        "jobTitle": "Engineer",
        "department": "R&D",
        "businessPhones": [f"+33 1 40 {number:06}"],
        "mobilePhone": f"+33 6 99 {number:06}",
        "officeLocation": "PAR-1, 2A",
        "streetAddress": "1 rue du Nord",
        "postalCode": "75002",
        "city": "Paris",
        "country": "France",
        "preferredLanguage": "fr-FR",
        "employeeId": f"N-{number}",
        "employeeHireDate": "2024-01-15T00:00:00Z",
        "createdDateTime": SINCE,
    } | changes


def user_id(number: int) -> str:
    """The id of the person of this number."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def people(count: int, first: int = 1) -> list[Json]:
    """So many of them."""
    return [person(number) for number in range(first, first + count)]


def group(number: int, **changes: Any) -> Json:
    """A group without members."""
    return {
        "id": f"{number:08x}-0000-4000-9000-{number:012x}",
        "displayName": f"Group {number}",
        "description": "",
        "groupTypes": [],
        "mail": None,
        "mailEnabled": False,
        "mailNickname": f"group{number}",
        "securityEnabled": True,
        "visibility": "Private",
        "createdDateTime": SINCE,
    } | changes
