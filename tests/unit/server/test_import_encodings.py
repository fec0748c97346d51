"""In which encoding a file of people is, is found, or asked about."""

import pytest

from server.core.errors import Refused
from server.people_files.formats import recognise
from server.people_files.rows import read_people
from server.people_files.text_files import CODE_PAGES, decode, possible_readings
from tests.support.server.people_lines import FRENCH_365, LEA, complaints, only_person, read

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


def test_several_byte_order_marks_are_no_part_of_the_first_header() -> None:
    assert only_person(read("\ufeff\ufeff\ufeff" + TEXT)).email == LEA
    assert only_person(read(b"\xff\xfe\xff\xfe" + TEXT.encode("utf-16-le"))).email == LEA


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
