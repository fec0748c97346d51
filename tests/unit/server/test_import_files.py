"""Reading the CSV files that directories export, and explaining what is wrong with a line."""

import pytest

from server.core.errors import Refused
from server.people_files.cells import PersonRow
from server.people_files.formats import recognise
from server.people_files.rows import Reading, read_people
from server.people_files.text_files import CODE_PAGES, decode, possible_readings

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
LEA = "lea.roux@northwind.example"


def read(content: str | bytes) -> Reading:
    decoded = decode(content.encode() if isinstance(content, str) else content)
    return read_people(recognise(decoded.text))


def line_of(header: str, **cells: str) -> str:
    """A line with these cells, named by the beginning of their header, and nothing in the others."""
    names = [name.casefold().replace(" ", "_") for name in header.split(",")]
    values = {
        next(name for name in names if name.startswith(key.casefold())): cell for key, cell in cells.items()
    }
    return ",".join(values.get(name, "") for name in names)


def only_person(reading: Reading) -> PersonRow:
    assert reading.mistakes == []
    assert len(reading.people) == 1
    return reading.people[0]


def complaints(reading: Reading) -> list[tuple[int, str, str]]:
    return [(mistake.line, mistake.column, mistake.what) for mistake in reading.mistakes]


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


TEXT = f"email;first_name\n{LEA};Léa\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_is_found(content: bytes, encoding: str) -> None:
    decoded = decode(content)
    assert (decoded.encoding, decoded.is_guess) == (encoding, False)
    assert only_person(read(content)).fields["first_name"] == "Léa"


def test_windows_1252_is_a_guess_until_somebody_names_it() -> None:
    content = TEXT.encode("cp1252")
    assert decode(content).is_guess
    named = decode(content, "windows-1252")
    assert (named.text, named.is_guess) == (TEXT, False)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Łukasz;Wiśniewski", "windows-1250"),
        ("Иван;Петров", "windows-1251"),
        ("Hélène;Gérard", "cp850"),
        ("Hélène;Gérard", "macintosh"),
        ("王;小明", "gb18030"),
    ],
)
def test_a_file_in_another_code_page_is_shown_as_it_would_read(name: str, encoding: str) -> None:
    content = f"email;first_name;last_name\r\n{LEA};{name}\r\n".encode(CODE_PAGES[encoding])
    assert decode(content).is_guess
    line, readings = possible_readings(content)
    assert line == 2
    assert readings[encoding] == f"{LEA};{name}"
    person = only_person(read_people(recognise(decode(content, encoding).text)))
    assert f"{person.fields['first_name']};{person.fields['last_name']}" == name


def _of_three(cell: str) -> str:
    """A file whose only cell beyond ASCII is this one."""
    return f"email;first_name;title\r\nann@northwind.example;Ann;Head\r\n{LEA};{cell}\r\n"


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize(
    ("cell", "encoding"),
    [
        ("Léa;", "macintosh"), ("Léa;", "cp850"), ("Léa;", "cp437"), ("Léa;", "windows-1252"),
        ("Lukáš;", "windows-1250"), ("Žofie;", "windows-1250"), ("Ł;", "windows-1250"),
        ("Я;", "windows-1251"), ("Ω;", "windows-1253"), ("ή;", "windows-1253"), ("Işıl;", "windows-1254"),
        ("Œ;", "iso-8859-15"), ("Léa;5\u00a0€", "iso-8859-15"), ("Léa;\u00a0Chef", "windows-1252"),
        ("Lea;Chargée d’études", "macintosh"), ("Lea;d’études", "macintosh"), ("Lea;“Équipe", "macintosh"),
        ("RÓŻA;", "windows-1250"), ("WÓŁ;", "windows-1250"), ("Lea;CAFÉ’S", "windows-1252"),
        ("Lea;voilà «", "windows-1252"), ("Lea;SOCIÉTÉ\u00a0X", "windows-1252"), ("Lea;MENÜ’S", "windows-1254"),
        ("谢;", "gb18030"), ("Fran\u00e7ois;", "utf-7"), ("Zo\u00eb;", "utf-7"), ("Łukasz;", "utf-7"),
        ("Иван;", "utf-7"), ("小明;", "utf-7"), ("André;d’études", "utf-7"),
    ],
)  # fmt: skip
def test_a_letter_or_two_in_a_rare_code_page_are_asked_about(
    cell: str, encoding: str, delimiter: str
) -> None:
    text = _of_three(cell).replace(";", delimiter)
    content = text.encode(CODE_PAGES[encoding])
    assert decode(content).is_guess
    line, readings = possible_readings(content)
    assert line == 3
    assert text.splitlines()[2] in readings.values()
    named = decode(content, encoding)
    assert (named.text, named.is_guess) == (text, False)


@pytest.mark.parametrize(
    "cell",
    [
        "Léa;", "Lukáš;", "Ł;", "Åsa;", "Ян Ли;Директор", "Οδυσσέας;", "İ;", "ə;", "Oʻktam;", "Zoe\u0301;", "小明;", "明;",
        "Lea;IT部門", "Lea;5 €", "Lea;“Head”", "Lea;d’art", "שרה;", "محمد;", "Việt;", "Ñ;", "Lea;R&D – Lab", "Łukasz;Ъ1",
        "Lea;A+B-C", "Lea;+33-1-40-50", "Lea;C+AB-test", "Lea;a+news-letter", "Lea;1+ABC-2", "Lea;+41793334455-",
        "Lea;+12135550123x45", "Lea;+351/650/94317124", "Lea;+4930123456App12", "Lea;+49/30/1234567", "Lea;+1212555x12",
        "Lea;+4122/7674111ext5", "Lea;+2gA-", "Lea;+4AA-", "Lea;+1078x123", "+1456App1;",
    ],
)  # fmt: skip
def test_what_is_plainly_utf8_is_not_asked_about(cell: str) -> None:
    assert not decode(_of_three(cell).encode()).is_guess


def test_one_plain_word_says_that_the_file_is_in_utf8() -> None:
    content = _of_three("Zoë;dՎtudes").encode()
    assert not decode(content).is_guess


def test_whoever_says_that_it_is_utf8_is_believed() -> None:
    content = _of_three("Lea;dՎtudes").encode()
    assert decode(content).is_guess
    assert decode(content, "utf-8").text == _of_three("Lea;dՎtudes")


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


def test_several_byte_order_marks_are_no_part_of_the_first_header() -> None:
    assert only_person(read("\ufeff\ufeff\ufeff" + TEXT)).email == LEA
    assert only_person(read(b"\xff\xfe\xff\xfe" + TEXT.encode("utf-16-le"))).email == LEA


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spreadsheets_may_choose_delimiter_and_line_ends(delimiter: str, newline: str) -> None:
    rows = [["email", "first_name", "groups"], [LEA, "Léa", '"Lyon;Studio"'], ["", "", ""]]
    person = only_person(read(newline.join(delimiter.join(row) for row in rows) + newline))
    assert (person.fields["first_name"], person.groups) == ("Léa", ("Lyon", "Studio"))


def test_a_line_that_names_the_delimiter_for_excel_is_skipped() -> None:
    reading = read(f"sep=;\nemail;first_name\n{LEA};Léa\n")
    assert only_person(reading).line == 3


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"PK\x03\x04 and so on", "workbook"),
        (b"\xd0\xcf\x11\xe0 and so on", "workbook"),
        (b"email\n\x81\x8d\x8f\x01\n", "not readable text"),
        (b"email\n\x00\x01\x02\x03abc\n", "not readable text"),
        (b"name,phone\nLea,1\n", "columns of this file are not known"),
        (b"email,email\na@b.example,c@d.example\n", "Two columns"),
        (b"email,frist_name\n", "misspelt"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(content: bytes, title: str) -> None:
    with pytest.raises(Refused) as refused:
        read(content)
    assert title in refused.value.title
    assert refused.value.message


def test_every_mistake_is_reported_with_its_line_and_column() -> None:
    lines = [
        "email,first_name,work_cell,groups",
        ",Nobody,,",
        "no address,Ann,,",
        "ok@northwind.example,Ann,,Lyon",
        "OK@northwind.example,Ann again,,",
        f"long@northwind.example,{'x' * 101},,",
        "surplus@northwind.example,Ann,,Lyon,Paris",
        'break@northwind.example,"A\nnn",,',
        "bidi@northwind.example,Ann\u202etxt,,",
        "lost@northwind.example,L\ufffda,,",
        f"group@northwind.example,Ann,,{'g' * 201}",
    ]
    reading = read("\n".join(lines) + "\n")
    assert [(line, column) for line, column, _what in complaints(reading)] == [
        (2, "email"),
        (3, "email"),
        (5, "email"),
        (6, "first_name"),
        (7, ""),
        (8, "first_name"),
        (10, "first_name"),
        (11, "first_name"),
        (12, "groups"),
    ]
    assert all(mistake.what and mistake.what_to_do for mistake in reading.mistakes)
    assert "line 4" in reading.mistakes[2].what


def test_several_mistakes_of_one_line_are_all_reported() -> None:
    reading = read(f"email,first_name,last_name\nnobody,{'x' * 101},{'y' * 101}\n")
    assert [column for _line, column, _what in complaints(reading)] == ["email", "first_name", "last_name"]


def test_reading_goes_on_after_a_broken_line() -> None:
    reading = read('email,first_name\na@northwind.example,"A" nn\nnobody,Ann\n')
    assert [line for line, _column, _what in complaints(reading)] == [2, 3]


def test_a_quotation_mark_that_is_never_closed_is_found_where_it_opens() -> None:
    reading = read(
        'email,first_name\na@northwind.example,Ann\nb@northwind.example,"Bob\nc@northwind.example,Cy\n'
    )
    assert complaints(reading) == [(3, "", "a quotation mark is opened and never closed")]


def test_marks_that_address_books_put_around_telephone_numbers_are_dropped() -> None:
    person = only_person(read(f"email,work_cell\n{LEA},\u202a+33 6 39 98 00 00\u202c\n"))
    assert person.fields["work_cell"] == "+33 6 39 98 00 00"


def test_letters_written_in_two_ways_are_one() -> None:
    person = only_person(read(f"email,first_name\n{LEA},Le\u0301a\n"))
    assert person.fields["first_name"] == "Léa"


def test_spaces_around_values_do_not_count() -> None:
    person = only_person(read(f"email, first_name ,groups\n {LEA} ,\u00a0Léa , Lyon ; ; Lyon | Studio\n"))
    assert (person.email, person.fields["first_name"], person.groups) == (LEA, "Léa", ("Lyon", "Studio"))


GERMAN_365 = (
    "Benutzername,Vorname,Nachname,Anzeigename,Position,Abteilung,Telefon – Geschäftlich,Telefon (geschäftlich),"
    "Mobiltelefon,Fax,Alternative E-Mail-Adresse,Adresse,Ort,Bundesstaat,Postleitzahl,Land oder Region"
)
SPANISH_365 = (
    "Nombre de usuario,Nombre,Apellidos,Nombre para mostrar,Puesto,Departamento,Número del trabajo,"
    "Teléfono del trabajo,Teléfono móvil,Número de fax,Dirección,Ciudad,Estado o provincia,Código postal,País o región"
)
FRENCH_365 = (
    "Nom d’utilisateur,Prénom,Nom,Nom d’affichage,Fonction,Service,Numéro de bureau,Téléphone (bureau),"
    "Téléphone mobile,Télécopie,Autre adresse e-mail,Adresse,Ville,État ou province,Code postal,Pays ou région"
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


def test_a_record_with_fewer_values_than_names_is_a_mistake() -> None:
    reading = read(f"email,first_name,last_name,groups\n{LEA},Lé\n")
    assert list(reading.people) == []
    assert [(mistake.line, mistake.column) for mistake in reading.mistakes] == [(2, "")]
    assert read(f"email,first_name,,\n{LEA},Léa\n").mistakes == []


def test_a_file_that_ends_within_a_line_is_a_mistake_unless_somebody_says_that_it_is_whole() -> None:
    text = f"first_name,email,last_name\nHugo,{LEA},Bernard\nChloé,chloe@northwind.ex,Font"
    assert [mistake.line for mistake in read(text).mistakes] == [3]
    whole = read_people(recognise(text), is_whole=True)
    assert (len(whole.people), whole.mistakes) == (2, [])


@pytest.mark.parametrize(
    "value", ["#NAME?", "#NOM?", "#N/A", "####", "NULL", "(null)", "3,31234E+11", "3.36E+11"]
)
def test_what_a_spreadsheet_left_in_place_of_a_value_is_a_mistake(value: str) -> None:
    reading = read(f'email,work_cell\n{LEA},"{value}"\n')
    assert [(mistake.line, mistake.column) for mistake in reading.mistakes] == [(2, "work_cell")]
    assert value in reading.mistakes[0].what


@pytest.mark.parametrize(
    "value",
    [
        "33639980100.0",
        "33639980100,00",
        "2026-06-05",
        "2026-06-05 00:00:00",
        "05/06/2026",
        "5.6.2026",
        "05-Jun-26",
        "05. Juni",
    ],
)
def test_a_telephone_number_that_became_a_date_or_a_decimal_is_a_mistake(value: str) -> None:
    reading = read(f'email,last_name,work_landline\n{LEA},Roux,"{value}"\n')
    assert [(mistake.line, mistake.column) for mistake in reading.mistakes] == [(2, "work_landline")]
    assert value in reading.mistakes[0].what
    assert read(f'email,title\n{LEA},"{value}"\n').mistakes == []


@pytest.mark.parametrize(
    "number",
    [
        "04.65.71.00.00",
        "+33 4 65 71 00 00",
        "0465710000",
        "030/12345",
        "030/12/34567",
        "01-23-45",
        "4200",
        "512.0",
    ],
)
def test_a_telephone_number_is_kept_in_whatever_form_it_is_written(number: str) -> None:
    assert only_person(read(f"email,work_landline\n{LEA},{number}\n")).fields["work_landline"] == number


@pytest.mark.parametrize("name", ["Null", "Sharp #1", "E11", "O'Neill", "'t Hooft", "= Äquivalent"])
def test_names_that_look_odd_stay_as_they_are(name: str) -> None:
    assert only_person(read(f"email,last_name\n{LEA},{name}\n")).fields["last_name"] == name


@pytest.mark.parametrize("cell", ['"=""+33 6 39"""', "'+33 6 39"])
def test_a_value_that_was_dressed_up_for_a_spreadsheet_is_put_right(cell: str) -> None:
    reading = read(f"email,work_cell\n{LEA},{cell}\n")
    assert only_person(reading).fields["work_cell"] == "+33 6 39"
    assert reading.repaired == [2]


def test_two_spellings_of_one_domain_are_one_mailbox() -> None:
    reading = read("email,first_name\nanna@münchen.example,Anna\nANNA@xn--mnchen-3ya.example,Anna\n")
    assert [person.email for person in reading.people] == ["anna@münchen.example"]
    assert [mistake.line for mistake in reading.mistakes] == [3]


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


@pytest.mark.parametrize(
    "cell",
    [
        "#NOME?",
        "#ИМЯ?",
        "#NÉV?",
        "#名前?",
        "#NOM ?",
        "#BEREIK?",
        "#ВЫЧИСЛ!",
        "#Н/Д",
        "#GETTING_DATA",
        "Err:502",
        "null",
        "NaN",
        "undefined",
        "N/A",
        "[object Object]",
        "System.Object[]",
        "Microsoft.ActiveDirectory.Management.ADPropertyValueCollection",
    ],
)
def test_what_a_program_left_in_place_of_a_value_is_a_mistake_in_every_language(cell: str) -> None:
    reading = read(f"email,first_name,title\n{LEA},{cell},{cell}\n")
    assert [(line, column) for line, column, _what in complaints(reading)] == [
        (2, "first_name"),
        (2, "title"),
    ]


@pytest.mark.parametrize("cell", ["#1 seller", "C#", "Null", "Nil", "Nan", "What?", "#Team", "System admin"])
def test_words_that_only_look_like_a_programs_error_are_values(cell: str) -> None:
    assert only_person(read(f"email,title\n{LEA},{cell}\n")).fields["title"] == cell


@pytest.mark.parametrize("address", ["ı@n.example", "İ@n.example", "ſ@n.example", "é@n.example"])
def test_letters_that_only_look_like_those_of_an_address_are_a_mistake(address: str) -> None:
    assert [column for _line, column, _what in complaints(read(f"email\n{address}\n"))] == ["email"]


ENCODINGS = ("cp1252", "latin-1", "cp1250", "cp1251", "cp850", "cp437", "mac_roman")


@pytest.mark.parametrize("codec", ENCODINGS)
@pytest.mark.parametrize(
    "name", ["François", "Zoé Müller", "Łukasz Wiśniewski", "José Peña", "Straße", "L’Oréal"]
)
def test_text_that_was_encoded_twice_is_a_mistake_that_says_what_it_should_be(name: str, codec: str) -> None:
    try:
        spoilt = name.encode().decode(codec)
    except UnicodeDecodeError:
        spoilt = name.encode().decode("latin-1")
    for column in ("first_name", "title", "site_addresses", "groups"):
        reading = read(f'email,{column}\n{LEA},"{spoilt}"\n')
        assert [(line, where) for line, where, _what in complaints(reading)] == [(2, column)], spoilt
        assert "encoded twice" in reading.mistakes[0].what


def test_a_header_or_a_domain_that_was_encoded_twice_is_a_mistake_too() -> None:
    with pytest.raises(Refused, match="encoded twice"):
        read(FRENCH_365.encode().decode("cp1252", "replace").encode() + f"\r\n{LEA}{',' * 15}\r\n".encode())
    assert [column for _line, column, _what in complaints(read("email\na@mÃ¼nchen.example\n"))] == ["email"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "RÓŻA",
            "ORĂŞTIE",
            "CAFÉ”",
            "l’école",
            "d’État",
            "Íñigo",
            "DIRECTEUR QUALITÉ\u00a0: SITE",
            "Tomáš",
            "Віктор",
        ),
        *(
            "Ві",
            "Пётр",
            "Ћирић",
            "Šíša",
            "zvláště",
            "mężą",
            "IRMÃ",
            "MAÇÃ\u00a0E",
            "Öz",
            "Άννα",
            "日本",
            "à\u00a0«\u00a0Paris\u00a0»",
        ),
        *(
            "Ñ",
            "PÄŤ",
            "KLÍČ",
            "Běłorušćina",
            "ZROBIĆ”",
            "DĹŽKU",
            "Ці",
            "đó",
            "10\u202f000 €",
            "n°\u00a05",
            "…É",
            "Ö™",
        ),
    ],
)
def test_text_that_only_has_such_bytes_stays_as_it_is(name: str) -> None:
    assert only_person(read(f"email,title\n{LEA},{name}\n")).fields["title"] == name


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "=A1",
            "=SUM(A1:A3)",
            "+A1",
            "-B12",
            "@SUM(A1)",
            '=HYPERLINK(""x"")',
            "None",
            "none",
            "<NA>",
            "NaT",
            "[NULL]",
        ),
        *(
            "{}",
            "[]",
            "N.A.",
            "FALSE",
            "TRUE",
            "#VALUE",
            "(blank)",
            "(leer)",
            "Fran&ccedil;ois",
            "Fran&#231;ois",
            "&nbsp;",
        ),
        *(
            "Fran%C3%A7ois",
            "=?UTF-8?Q?Fran=C3=A7ois?=",
            "Fran\\u00e7ois",
            "Fran\\xe7ois",
            "b'Ann'",
            "['Ann']",
        ),
        *(
            "<b>Ann</b>",
            "12 rue X<br/>Lyon",
            "12 rue X\\nLyon",
            "Fran?ois",
            "?lodie",
            "???",
            "CN=Ann,OU=Lyon,DC=n",
        ),
        *('A""nn', "\ue000x", "A\u3164", "\u2800", '[""Lyon""]', '{""a"": 1}', "A\u00adB"),
    ],
)
@pytest.mark.parametrize("column", ["last_name", "title", "site_addresses", "groups"])
def test_what_a_program_did_to_a_text_is_a_mistake_in_every_column(cell: str, column: str) -> None:
    reading = read(f'email,{column}\n{LEA},"{cell}"\n')
    assert {(line, where) for line, where, _what in complaints(reading)} == {(2, column)}, cell
    assert all(mistake.what_to_do for mistake in reading.mistakes)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "What?",
            "¿Qué?",
            "R&D",
            "A&Co",
            "100 %",
            "50%C",
            "= Äquivalent",
            "@Home",
            "-Team",
            '24"" screens',
            "[External]",
        ),
        *(
            "<3",
            "a < b > c",
            "Nil",
            "Faux",
            "Na",
            "C:\\new",
            "Ann \u2013 Lee",
            "O'Neill",
            "'t Hooft",
            "X² + Y",
        ),
    ],
)
def test_texts_that_only_look_so_stay_as_they_are(cell: str) -> None:
    assert only_person(read(f'email,title\n{LEA},"{cell}"\n')).fields["title"] == cell.replace('""', '"')


@pytest.mark.parametrize("cell", ["45678", "1.0", "0", "01/02/2024", "1899-12-30", "12:30:00", "2-Feb"])
def test_a_number_or_a_date_is_nobodys_name(cell: str) -> None:
    for column in ("first_name", "last_name"):
        assert [where for _line, where, _what in complaints(read(f"email,{column}\n{LEA},{cell}\n"))] == [
            column
        ]
    assert read(f"email,title\n{LEA},{cell}\n").mistakes == []


@pytest.mark.parametrize(
    "number", ["-33639980", "336399801000000000", '"33,639,980,100"', "06:39:98", "3.36399801e10", "'-A1"]
)
def test_what_a_spreadsheet_made_of_a_telephone_number_is_a_mistake(number: str) -> None:
    assert [where for _line, where, _what in complaints(read(f"email,work_cell\n{LEA},{number}\n"))] == [
        "work_cell"
    ]


def test_several_spaces_become_one() -> None:
    assert (
        only_person(read(f"email,first_name\n{LEA},Ann   Lee\u00a0 Roux\n")).fields["first_name"]
        == "Ann Lee Roux"
    )


@pytest.mark.parametrize(
    "text",
    [
        'email,site_addresses\n{}"1 rue X\nbob@northwind.example,2 rue Y"\n',
        'email,note\n{}"see\r\nbob@northwind.example,nothing\r\ncy@northwind.example,more"\r\n',
        'email;first_name;groups;x\n{};"Lyon\nbob@northwind.example;Bob;""Paris"";y";z\n',
    ],
    ids=["address", "column that is not stored", "in the middle"],
)
def test_a_line_that_a_missing_quotation_mark_made_part_of_a_value_is_found(text: str) -> None:
    separator = ";" if ";" in text else ","
    assert [line for line, _column, _what in complaints(read(text.format(LEA + separator)))][:1] == [2]


def test_an_address_of_several_lines_may_name_a_mailbox() -> None:
    text = (
        f'first_name,email,site_addresses\nLéa,{LEA},"12 quai Rambaud\n69002 Lyon, desk@northwind.example"\n'
    )
    assert len(read(text).people) == 1
