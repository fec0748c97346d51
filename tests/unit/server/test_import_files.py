"""What is wrong with a line of a file of people is told with its place; nothing is guessed."""

import pytest

from server.core.errors import Refused
from server.people_files.formats import recognise
from server.people_files.rows import read_people
from tests.support.server.people_lines import LEA, complaints, only_person, read


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
