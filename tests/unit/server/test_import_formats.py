"""Files of people as other programs export them are understood: Google, Microsoft, in several languages."""

import pytest

from server.core.errors import Refused
from server.people_files.text_files import decode, possible_readings
from tests.support.server.people_lines import FRENCH_365, LEA, only_person, read

GOOGLE = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
    "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
    "Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,Work Secondary Email,"
    "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,Home Address,"
    "Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center,2sv Enrolled [READ ONLY],"
    "2sv Enforced [READ ONLY],Building ID,Floor Name,Floor Section,Email Usage [READ ONLY],"
    "Drive Usage [READ ONLY],Total Storage [READ ONLY],Change Password at Next Sign-In,New Status [UPLOAD ONLY]"
)
GOOGLE_TEMPLATE = GOOGLE.replace("Status [READ ONLY],Last Sign In [READ ONLY],", "").replace(
    "2sv Enrolled [READ ONLY],2sv Enforced [READ ONLY],", ""
)
ENTRA = (
    "userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,"
    "usageLocation,streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,"
    "alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification,companyName,creationType,"
    "directorySynced,invitationState,identityIssuer,createdDateTime"
)
ENTRA_OLDER = (
    "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,"
    "usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,"
    "authenticationPhoneNumber,authenticationAlternativePhoneNumber,authenticationEmail,alternateEmailAddress,"
    "ageGroup,consentProvidedForMinor,legalAgeGroupClassification"
)
MICROSOFT_365 = (
    "Display name,DirSyncEnabled,User principal name,Object Id,First name,Last name,When created,"
    "Soft deletion time stamp,Title,Department,Preferred data location,City,CountryOrRegion,Office,StateOrProvince,"
    "Usage location,Last dirsync time,Block credential,Licenses,Password never expires,"
    "Last password change time stamp,Mobile Phone,Phone number,Postal code,Preferred language,Street address,Fax,"
    "Proxy addresses"
)
MICROSOFT_365_TEMPLATE = (
    "User Name,First Name,Last Name,Display Name,Job Title,Department,Office Number,Office Phone,Mobile Phone,Fax,"
    "Alternate email address,Address,City,State or Province,ZIP or Postal Code,Country or Region"
)
OWN = "email,first_name,last_name,title,work_landline,work_cell,site_addresses,groups"


def line_of(header: str, **cells: str) -> str:
    """A line with these cells, named by the beginning of their header, and nothing in the others."""
    names = [name.casefold().replace(" ", "_") for name in header.split(",")]
    values = {
        next(name for name in names if name.startswith(key.casefold())): cell for key, cell in cells.items()
    }
    return ",".join(values.get(name, "") for name in names)


def test_our_own_columns_are_read() -> None:
    reading = read(
        f"{OWN}\n{LEA},Léa,Roux,Studio manager,+33 4 65 71 00 00,+33 6 39 98 00 00,"
        '"12 quai Rambaud, 69002 Lyon | 8 rue du Sentier, 75002 Paris",Lyon; Studio Lyon\n'
    )
    person = only_person(reading)
    assert person.email == LEA
    assert person.groups == ("Lyon", "Studio Lyon")
    assert person.fields == {
        "first_name": "Léa",
        "last_name": "Roux",
        "title": "Studio manager",
        "work_landline": "+33 4 65 71 00 00",
        "work_cell": "+33 6 39 98 00 00",
        "site_addresses": ["12 quai Rambaud, 69002 Lyon", "8 rue du Sentier, 75002 Paris"],
    }


def test_the_address_alone_is_enough() -> None:
    person = only_person(read(f"email\n{LEA}\n"))
    assert person.fields == {}
    assert person.groups is None


@pytest.mark.parametrize("header", [GOOGLE, GOOGLE_TEMPLATE], ids=["download", "template"])
def test_a_google_workspace_file_is_understood(header: str) -> None:
    line = line_of(
        header,
        first_name="Léa",
        last_name="Roux",
        email_address=LEA,
        password_="hunter2",
        org_unit="/Lyon/Studio",
        recovery_email="lea@home.example",
        home_phone="+33 1 99 00 99 99",
        home_address="at home",
        work_phone="+33 4 65 71 00 00",
        mobile="+33 6 39 98 00 00",
        work_address='"12 quai Rambaud\n69002 Lyon"',
        employee_title="Studio manager",
        department="Production",
    )
    person = only_person(read(f"{header}\n{line}\n"))
    assert person.email == LEA
    assert person.groups == ("Production", "Lyon", "Lyon/Studio")
    assert person.fields == {
        "first_name": "Léa",
        "last_name": "Roux",
        "title": "Studio manager",
        "work_landline": "+33 4 65 71 00 00",
        "work_cell": "+33 6 39 98 00 00",
        "site_addresses": ["12 quai Rambaud, 69002 Lyon"],
    }


@pytest.mark.parametrize(
    ("header", "office", "cell"),
    [(ENTRA, "officelocation", "mobilephone"), (ENTRA_OLDER, "physical", "mobile")],
    ids=["today", "older"],
)
def test_a_microsoft_entra_file_is_understood(header: str, office: str, cell: str) -> None:
    line = line_of(
        header,
        userprincipalname="lroux@northwind.onmicrosoft.example",
        mail=LEA,
        givenname="Léa",
        surname="Roux",
        usertype="Member",
        jobtitle="Studio manager",
        department="Production",
        accountenabled="True",
        streetaddress="12 quai Rambaud",
        postalcode="69002",
        city="Lyon",
        country="France",
        telephone="+33 4 65 71 00 00",
        **{office: "Studio", cell: "+33 6 39 98 00 00"},
    )
    person = only_person(read(f"{header}\r\n{line}\r\n"))
    assert person.email == LEA
    assert person.groups == ("Production",)
    assert person.fields == {
        "first_name": "Léa",
        "last_name": "Roux",
        "title": "Studio manager",
        "work_landline": "+33 4 65 71 00 00",
        "work_cell": "+33 6 39 98 00 00",
        "site_addresses": ["Studio, 12 quai Rambaud, 69002 Lyon, France"],
    }


def test_a_microsoft_365_file_is_understood() -> None:
    line = line_of(
        MICROSOFT_365,
        user_principal="lroux@northwind.onmicrosoft.example",
        first_name="Léa",
        last_name="Roux",
        title="Studio manager",
        block="False",
        phone="+33 4 65 71 00 00",
        mobile="+33 6 39 98 00 00",
        street="12 quai Rambaud",
        city="Lyon",
        proxy="smtp:lroux@northwind.example+SMTP:Lea.Roux@northwind.example",
    )
    person = only_person(read(f"{MICROSOFT_365}\n{line}\n"))
    assert person.email == LEA
    assert person.fields["site_addresses"] == ["12 quai Rambaud, Lyon"]
    assert person.fields["work_landline"] == "+33 4 65 71 00 00"


def test_the_microsoft_365_template_is_understood() -> None:
    line = line_of(MICROSOFT_365_TEMPLATE, user_name=LEA, first_name="Léa", job="Studio manager", city="Lyon")
    person = only_person(read(f"{MICROSOFT_365_TEMPLATE}\n{line}\n"))
    assert (person.email, person.fields["title"]) == (LEA, "Studio manager")


def test_columns_that_tidings_does_not_keep_are_named_and_left_where_they_are() -> None:
    reading = read(f"{GOOGLE}\n{line_of(GOOGLE, email_address=LEA, password_='hunter2')}\n")
    assert "Password [Required]" in reading.layout.not_stored
    assert {"Home Phone", "Home Address", "Recovery Email", "Employee ID"} <= set(reading.layout.not_stored)
    assert "hunter2" not in repr(list(reading.people))


def test_without_a_mail_address_the_sign_in_name_of_entra_is_taken() -> None:
    line = line_of(ENTRA, userprincipalname=LEA, usertype="Member", accountenabled="True")
    assert only_person(read(f"{ENTRA}\n{line}\n")).email == LEA


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (ENTRA, {"mail": LEA, "accountenabled": "False"}),
        (ENTRA, {"mail": LEA, "usertype": "Guest", "accountenabled": "True"}),
        (ENTRA, {"userprincipalname": "lea_home.example#EXT#@northwind.onmicrosoft.example"}),
        (MICROSOFT_365, {"user_principal": LEA, "block": "True"}),
        (MICROSOFT_365, {"user_principal": LEA, "soft": "2026-03-18 19:49:35Z"}),
        (GOOGLE, {"email_address": LEA, "status": "Suspended"}),
    ],
    ids=["disabled", "guest", "guest-by-name", "blocked", "deleted", "suspended"],
)
def test_accounts_that_nobody_reads_with_are_left_out_and_named(header: str, cells: dict[str, str]) -> None:
    reading = read(f"{header}\n{line_of(header, **cells)}\n")
    assert list(reading.people) == []
    assert reading.mistakes == []
    assert [(one.line, bool(one.email), bool(one.why)) for one in reading.skipped] == [(2, True, True)]


ENTRA_BULK = (
    "Name [displayName] Required,User name [userPrincipalName] Required,Initial password [passwordProfile] Required,"
    "Block sign in (Yes/No) [accountEnabled] Required,First name [givenName],Last name [surname],Job title [jobTitle],"
    "Department [department],Usage location [usageLocation],Street address [streetAddress],State or province [state],"
    "Country or region [country],Office [physicalDeliveryOfficeName],City [city],ZIP or postal code [postalCode],"
    "Office phone [telephoneNumber],Mobile phone [mobile]"
)
ENTRA_BULK_OLDER = ENTRA_BULK.replace(" Required", " *").replace("Name [", "Name (example: Chris Green) [", 1)
ENTRA_BULK_FRENCH = (
    "Nom [displayName] Obligatoire,Nom d’utilisateur [ userPrincipalName] Obligatoire,"
    "Mot de passe initial [ passwordProfile] Obligatoire,Bloquer la connexion (Oui/Non) [accountEnabled] Obligatoire,"
    "Prénom [givenName],Nom [surname],Poste [jobTitle],Service [department],Lieu d’utilisation [usageLocation],"
    "Rue [streetAddress],Département [state],Pays [country],Bureau [physicalDeliveryOfficeName],Ville [city],"
    "Code postal [postalCode],Téléphone (bureau) [telephoneNumber],Téléphone mobile [mobile]"
)
SECRET = "canary-Pw7"
BULK_LINES = (
    f"Léa Roux,{LEA},{SECRET},No,Léa,Roux,Designer,Studio,FR,1 quai,Rhône,France,Lyon 2,Lyon,69002,+33 4 72,+33 6 1",
    f"Tom,tom@northwind.example,{SECRET},Yes,Tom,Low,,,,,,,,,,,",
)
EXAMPLE = f"Example: Chris Green,Example: chris@contoso.com,Example: {SECRET},Example: Yes,,,,,,,,,,,,,"


@pytest.mark.parametrize("header", [ENTRA_BULK, ENTRA_BULK_OLDER, ENTRA_BULK_FRENCH])
@pytest.mark.parametrize("version", ["version:v1.0", f"version:v1.0{',' * 16}", '"version:v1.0"', ""])
def test_entras_template_for_new_people_is_read_without_their_passwords(header: str, version: str) -> None:
    lines = [*filter(None, [version]), header, EXAMPLE, *BULK_LINES, ""]
    reading = read("\n".join(lines))
    lea = only_person(reading)
    assert lea.email == LEA
    assert lea.fields == {
        "first_name": "Léa",
        "last_name": "Roux",
        "title": "Designer",
        "work_landline": "+33 4 72",
        "work_cell": "+33 6 1",
        "site_addresses": ["Lyon 2, 1 quai, 69002 Lyon, Rhône, France"],
    }
    assert lea.groups == ("Studio",)
    assert [(one.line, one.why) for one in reading.skipped] == [
        (len(lines) - 3, "the example of the template"),
        (len(lines) - 1, "the account is disabled"),
    ]
    assert any("passwordProfile" in name for name in reading.layout.not_stored)
    assert SECRET not in repr([lea, reading.skipped, reading.layout.not_stored])


def test_a_semicolon_version_of_entras_template_is_read_too() -> None:
    lines = [line.replace(",", ";") for line in ("version:v1.0", ENTRA_BULK, BULK_LINES[0])]
    assert only_person(read("\n".join([*lines, ""]))).email == LEA


@pytest.mark.parametrize(
    "lines",
    [
        ("version:v1.0", "User name [userPrincipalName] Required", LEA),
        ("version:v1.0", "Nom d’utilisateur [userPrincipalName] Obligatoire", LEA),
        ("User name [userPrincipalName] Required,Object ID [objectId]", f"{LEA},1"),
    ],
)
def test_entras_template_to_delete_people_brings_nobody_in(lines: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="not for new people"):
        read("\n".join([*lines, ""]))


@pytest.mark.parametrize(
    "line",
    [
        f"Léa,{LEA},{SECRET},{SECRET}x,No,Léa,Roux" + "," * 11,
        f"Léa,{LEA},{SECRET}",
        f'Léa,{LEA},"{SECRET},No,L',
        f'"Léa\nTom,tom@northwind.example,{SECRET},No",{LEA},{SECRET},No' + "," * 13,
        f'Léa,{LEA},"{SECRET}"x,No' + "," * 13,
        f"Léa,no address,{SECRET},perhaps" + "," * 13,
    ],
)
def test_no_password_is_shown_whatever_is_wrong_with_its_line(line: str) -> None:
    reading = read(f"version:v1.0\n{ENTRA_BULK}\n{line}\n")
    assert reading.mistakes
    assert SECRET not in repr(reading.mistakes)


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman", "utf-7"])
def test_no_password_is_shown_where_the_encoding_is_asked_about(codec: str) -> None:
    name, secret = "François d’études", f"é{SECRET}ü"
    line = f"{name},lea@x.example,{secret},No" + "," * 13
    content = f"version:v1.0\n{ENTRA_BULK}\n{line}\n".encode(codec)
    assert decode(content).is_guess
    _number, readings = possible_readings(content)
    assert any(reading.startswith(f"{name},lea@x.example,...,No") for reading in readings.values())
    assert "canary" not in repr(readings)
    google = f"Email Address [Required],First Name,Password [Required]\n{LEA},Françoise,{secret}\n".encode(
        codec
    )
    assert "canary" not in repr(possible_readings(google))


GERMAN_365 = (
    "Benutzername,Vorname,Nachname,Anzeigename,Position,Abteilung,Telefon – Geschäftlich,Telefon (geschäftlich),"
    "Mobiltelefon,Fax,Alternative E-Mail-Adresse,Adresse,Ort,Bundesstaat,Postleitzahl,Land oder Region"
)
SPANISH_365 = (
    "Nombre de usuario,Nombre,Apellidos,Nombre para mostrar,Puesto,Departamento,Número del trabajo,"
    "Teléfono del trabajo,Teléfono móvil,Número de fax,Dirección,Ciudad,Estado o provincia,Código postal,País o región"
)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (
            GERMAN_365,
            f"{LEA},Léa,Roux,Léa Roux,Leiterin,Vertrieb,,+33 4,+33 6,,,Quai 1,Lyon,,69002,Frankreich",
        ),
        (
            SPANISH_365,
            f"{LEA},Léa,Roux,Léa Roux,Leiterin,Vertrieb,,+33 4,+33 6,,Quai 1,Lyon,,69002,Frankreich",
        ),
        (
            FRENCH_365,
            f"{LEA},Léa,Roux,Léa Roux,Leiterin,Vertrieb,,+33 4,+33 6,,,Quai 1,Lyon,,69002,Frankreich",
        ),
    ],
    ids=["German", "Spanish", "French"],
)
def test_the_microsoft_365_template_is_read_in_other_languages(header: str, cells: str) -> None:
    person = only_person(read(f"{header}\r\n{cells}\r\n"))
    assert person.email == LEA
    assert person.fields == {
        "first_name": "Léa",
        "last_name": "Roux",
        "title": "Leiterin",
        "work_landline": "+33 4",
        "work_cell": "+33 6",
        "site_addresses": ["Quai 1, 69002 Lyon, Frankreich"],
    }
    assert person.groups == ("Vertrieb",)


def test_accounts_that_a_translated_export_blocks_are_left_out() -> None:
    german = "Benutzerprinzipalname,Anzeigename,Anmeldeinformationen blockieren,Lizenzen"
    reading = read(f"{german}\r\n{LEA},Léa,Wahr,E1\r\nann@northwind.example,Ann,Falsch,E1\r\n")
    assert [person.email for person in reading.people] == ["ann@northwind.example"]
    assert [skipped.email for skipped in reading.skipped] == [LEA]


@pytest.mark.parametrize(
    "no", ["FALSCH", "FALSO", "ONWAAR", "False", "FAUX", "FAŁSZ", "НЕТ", "0", "nein", "EPÄTOSI"]
)
def test_a_disabled_account_is_left_out_in_whatever_language_excel_wrote_it(no: str) -> None:
    reading = read(f"userPrincipalName;mail;accountEnabled\r\n{LEA};{LEA};{no}\r\n")
    assert (list(reading.people), reading.mistakes) == ([], [])
    assert [skipped.email for skipped in reading.skipped] == [LEA]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("accountEnabled", "maybe"),
        ("accountEnabled", "2"),
        ("accountEnabled", "VRAIMENT"),
        ("userType", "Gast"),
    ],
)
def test_an_account_whose_state_cannot_be_told_is_a_mistake_of_its_line(column: str, value: str) -> None:
    reading = read(f"userPrincipalName;mail;{column}\r\n{LEA};{LEA};{value}\r\n")
    assert list(reading.people) == []
    assert [(mistake.line, mistake.column) for mistake in reading.mistakes] == [(2, column)]
    assert value in reading.mistakes[0].what


@pytest.mark.parametrize(("status", "taken"), [("Active", 1), ("Suspended", 0), ("", 1)])
def test_the_state_that_a_template_asks_google_for_counts_too(status: str, taken: int) -> None:
    assert len(read(f"Email Address [Required],New Status [UPLOAD ONLY]\n{LEA},{status}\n").people) == taken


@pytest.mark.parametrize(
    "header",
    [
        "accountEnabled",
        "Active",
        "isActive",
        "is_active",
        "isDisabled",
        "Archived",
        "suspendedAt",
        "SoftDeletionTimestamp",
        "nsAccountLock",
        "userAccountControl",
        "accountExpires",
        "loginDisabled",
        "employeeLeaveDateTime",
        "Termination date",
        "Sign-in allowed",
        "userState",
        "Kontostatus",
        "Aktiv",
        "Compte activé",
        "Cuenta habilitada",
        "Estado",
        "Abilitato",
        "Ativo",
        "Actief",
        "Aktywny",
        "Активен",
        "有効",
    ],
)
def test_what_an_unknown_column_says_of_accounts_is_asked_about(header: str) -> None:
    with pytest.raises(Refused) as refused:
        read(f"email,{header}\n{LEA},FALSE\n")
    assert "which accounts are in use" in refused.value.title


@pytest.mark.parametrize(
    "header",
    [
        "Active Directory ID",
        "passwordExpired",
        "onPremisesSyncEnabled",
        "2svEnrolled",
        "state",
        "Hire date",
        "creationType",
        "Estado o provincia",
    ],
)
def test_columns_that_say_nothing_of_accounts_are_left_where_they_are(header: str) -> None:
    assert only_person(read(f"email,{header}\n{LEA},x\n")).email == LEA
