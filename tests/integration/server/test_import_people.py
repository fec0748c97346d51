"""`tidings-server people import` on SQLite and PostgreSQL: all of a file or nothing of it."""

from pathlib import Path

import pytest

from server.directory.models import Company, Group, Person
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import Done, succeeded, tidings_server
from tests.support.server.sample import SAMPLE

pytestmark = [pytest.mark.usefixtures("northwind"), pytest.mark.both_databases]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def run(file: Path, content: str, *options: str) -> Done:
    file.write_text(content, encoding="utf-8")
    return tidings_server("people", "import", file, *options)


def imported(file: Path, content: str) -> str:
    file.write_text(content, encoding="utf-8")
    return succeeded("people", "import", file)


def groups_of(email: str) -> list[str]:
    return sorted(Person.objects.get(email=email).groups.values_list("name", flat=True))


def revision() -> int:
    return Company.objects.get().feed_revision


def test_the_sample_company_is_imported(northwind: ServerHome) -> None:
    done = northwind.succeed("people", "import", SAMPLE / "people.csv")
    assert "40 added, 0 changed, 0 unchanged" in done
    lea = Person.objects.get(email="lea.roux@northwind.example")
    assert (lea.first_name, lea.last_name, lea.title) == ("Léa", "Roux", "Studio manager")
    assert lea.site_addresses == ["12 quai Rambaud, 69002 Lyon, France"]
    assert groups_of(lea.email) == ["Lyon", "Studio", "Studio Lyon"]


def test_importing_a_file_again_changes_nothing(file: Path) -> None:
    content = "email,first_name,site_addresses,groups\na@northwind.example,Ann,1 rue X;2 rue Y,Lyon;Sales\n"
    imported(file, content)
    before = revision()
    assert "0 added, 0 changed, 1 unchanged" in imported(file, content)
    assert revision() == before


def test_people_are_known_by_their_address_in_any_case(file: Path) -> None:
    imported(file, "email,first_name,title\nAnn@Northwind.example,Ann,Boss\n")
    before = Person.objects.get()
    assert "0 added, 1 changed, 0 unchanged" in imported(
        file, "email,first_name\nann@NORTHWIND.example,Anna\n"
    )
    after = Person.objects.get()
    assert (after.pk, after.email, after.first_name) == (before.pk, "ann@northwind.example", "Anna")
    assert after.title == "Boss", "a column that the file does not have must stay as it is"


def test_an_empty_cell_empties_the_field(file: Path) -> None:
    imported(file, "email,title,groups\na@northwind.example,Boss,Lyon\n")
    imported(file, "email,title,groups\na@northwind.example,,\n")
    assert Person.objects.get().title == ""
    assert groups_of("a@northwind.example") == []


def test_people_move_between_groups_and_groups_keep_their_first_spelling(
    northwind: ServerHome, file: Path
) -> None:
    first = imported(file, "email,groups\na@northwind.example,Lyon;Sales\nb@northwind.example,LYON\n")
    assert "New groups: “Lyon”, “Sales”." in first
    second = imported(file, "email,groups\na@northwind.example,lyon | Legal\n")
    assert "New groups: “Legal”." in second
    assert "0 added, 1 changed, 0 unchanged" in second
    assert groups_of("a@northwind.example") == ["Legal", "Lyon"]
    assert groups_of("b@northwind.example") == ["Lyon"]


def test_a_file_without_groups_leaves_memberships_alone(file: Path) -> None:
    imported(file, "email,groups\na@northwind.example,Lyon\n")
    imported(file, "email,title\na@northwind.example,Boss\n")
    assert groups_of("a@northwind.example") == ["Lyon"]


def test_people_who_are_not_in_the_file_stay_and_that_is_said(file: Path) -> None:
    imported(file, "email\na@northwind.example\nb@northwind.example\n")
    said = imported(file, "email\na@northwind.example\n")
    assert "1 person is not in the file and stays" in said
    assert Person.objects.count() == 2


def test_one_mistake_and_nothing_is_imported(file: Path) -> None:
    imported(file, "email,groups\na@northwind.example,Lyon\n")
    before = revision()
    done = run(
        file,
        "email,first_name,groups\nnew@northwind.example,New,Paris\na@northwind.example,Ann,Lyon\nnobody,No,Paris\n",
    )
    assert done.returncode == 1
    assert "people.csv: line 4, email: “nobody” is no e-mail address; correct it." in done.stderr
    assert "Nothing was imported: 1 mistake in the file." in done.stderr
    assert list(Person.objects.values_list("email", "first_name")) == [("a@northwind.example", "")]
    assert list(Group.objects.values_list("name", flat=True)) == ["Lyon"]
    assert revision() == before


def test_the_report_is_limited_and_says_how_much_more_there_is(file: Path) -> None:
    done = run(file, "email\n" + "nobody\n" * 60)
    assert done.stderr.count("nobody") == 50
    assert "… and 10 more." in done.stderr
    assert "60 mistakes" in done.stderr


def test_a_dry_run_says_what_would_change_and_changes_nothing(file: Path) -> None:
    imported(file, "email,groups\na@northwind.example,Lyon\n")
    before = revision()
    done = run(
        file,
        "email,first_name,groups\na@northwind.example,Ann,Paris\nb@northwind.example,,\n",
        "--dry-run",
    )
    assert done.returncode == 0
    assert "nothing was stored: 1 added, 1 changed, 0 unchanged" in done.stdout
    assert Person.objects.get().first_name == ""
    assert groups_of("a@northwind.example") == ["Lyon"]
    assert Group.objects.count() == 1
    assert revision() == before


def test_what_tidings_does_not_keep_is_nowhere_afterwards(file: Path) -> None:
    header = "First Name [Required],Email Address [Required],Password [Required],Home Address,Department"
    said = imported(file, f"{header}\nAnn,a@northwind.example,Canary-password,Canary-home,Sales\n")
    assert "Not stored: Password [Required], Home Address." in said
    assert "Canary" not in said
    person = Person.objects.get()
    values = [getattr(person, field.attname) for field in Person._meta.concrete_fields]
    assert "Canary" not in repr(values)
    assert groups_of("a@northwind.example") == ["Sales"]


def test_accounts_that_are_left_out_are_named(file: Path) -> None:
    said = imported(
        file,
        "userPrincipalName,accountEnabled\nold@northwind.example,False\na@northwind.example,True\n",
    )
    assert "Left out 1 line, the account is disabled: old@northwind.example (2)" in said
    assert Person.objects.get().email == "a@northwind.example"


def test_a_change_reaches_feeds(file: Path) -> None:
    before = revision()
    imported(file, "email\na@northwind.example\n")
    assert revision() != before


def test_another_company_is_never_touched(file: Path) -> None:
    other = Company.objects.create(
        id="untouched",
        name="Other",
        legal_name="Other",
        region="eu",
        dpo_name="Dee",
        dpo_email="dee@other.example",
    )
    try:
        stranger = Person.objects.create(company=other, email="a@northwind.example", first_name="Stranger")
        undecided = run(file, "email,first_name\na@northwind.example,Ann\n")
        assert undecided.returncode == 1
        assert "--company" in undecided.stderr
        done = run(file, "email,first_name\na@northwind.example,Ann\n", "--company", "northwind")
        assert done.returncode == 0, done.stderr
        stranger.refresh_from_db()
        assert stranger.first_name == "Stranger"
        assert Person.objects.get(company="northwind").first_name == "Ann"
    finally:
        other.delete()


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    done = tidings_server("people", "import", tmp_path / "none.csv")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_large_company_is_imported_and_changed_at_once(file: Path) -> None:
    lines = [f"p{n}@northwind.example,P{n},Group {n % 7}\n" for n in range(3_000)]
    header = "email,first_name,groups\n"
    assert "3000 added" in imported(file, header + "".join(lines))
    changed = imported(file, header + "".join(lines).replace(",P", ",Q").replace("Group 3", "Group 4"))
    assert "0 added, 3000 changed, 0 unchanged" in changed
    assert Person.objects.filter(first_name__startswith="Q").count() == 3_000
    assert Group.objects.get(name="Group 3").people.count() == 0
    assert Person.groups.through.objects.count() == 3_000


def test_mistakes_are_explained_in_french_to_those_who_speak_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    done = run(file, "email\nnobody\n")
    assert "ligne 2, email : « nobody » n’est pas une adresse e-mail ;" in done.stderr.replace("\u00a0", " ")
    assert "Rien n’a été importé" in done.stderr


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("Иван", "windows-1251"), ("Chef d’études", "macintosh"), ("François", "utf-7")],
)
def test_an_encoding_that_is_guessed_is_asked_about_before_anything_is_stored(
    file: Path, name: str, encoding: str
) -> None:
    codec = {"windows-1251": "cp1251", "macintosh": "mac_roman"}.get(encoding, encoding)
    file.write_bytes(f"email;first_name\r\nivan@northwind.example;{name}\r\n".encode(codec))
    asked = tidings_server("people", "import", file)
    assert asked.returncode == 1
    assert f"--encoding {encoding}" in asked.stderr
    assert name in asked.stderr
    assert not Person.objects.exists()
    succeeded("people", "import", file, "--encoding", encoding)
    assert Person.objects.get().first_name == name


def test_a_file_that_was_cut_short_empties_nobody(file: Path) -> None:
    whole = "email,first_name,groups\nchloe@northwind.example,Chloé,IT\n"
    imported(file, whole)
    for cut in range(len("email,first_name,groups\n") + 1, len(whole)):
        done = run(file, whole[:cut])
        assert done.returncode == 1, whole[:cut]
    person = Person.objects.get()
    assert (person.first_name, groups_of(person.email)) == ("Chloé", ["IT"])
    succeeded("people", "import", file, "--whole")


def test_a_group_that_looks_like_two_known_ones_is_questioned(file: Path) -> None:
    imported(file, "email,groups\na@northwind.example,Lyon\nb@northwind.example,Paris\n")
    content = 'email,groups\na@northwind.example,"Lyon, Paris"\n'
    done = run(file, content)
    assert done.returncode == 1
    assert "Lyon; Paris" in done.stderr
    assert groups_of("a@northwind.example") == ["Lyon"]
    assert "“Lyon, Paris”" in succeeded("people", "import", file, "--group", "Lyon, Paris")
    assert groups_of("a@northwind.example") == ["Lyon, Paris"]
    assert "1 unchanged" in imported(file, content)


def test_a_person_is_found_by_either_spelling_of_their_domain(file: Path) -> None:
    imported(file, "email,first_name\nanna@xn--mnchen-3ya.example,Anna\n")
    assert "0 added, 1 changed" in imported(file, "email,first_name\nanna@münchen.example,Anne\n")
    assert Person.objects.get(email="anna@XN--mnchen-3ya.example").first_name == "Anne"
    succeeded("purge", "--yes", "anna@xn--mnchen-3ya.example")
    assert not Person.objects.exists()
