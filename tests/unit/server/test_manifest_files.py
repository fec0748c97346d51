"""Campaign files: what is understood, and how mistakes are explained."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.campaigns.manifest import DEFAULT_SPAN, Manifest, read_manifest
from server.campaigns.manifest_tables import MOST_MISTAKES, suggestion
from server.core.errors import Refused

NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
HOSTS = ("northwind.example", "*.northwind.example")
SHORTEST = """
sender = "IT"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "VPN restarts at 18:00 tonight"
"""
LINK = '[[variants.en.links]]\nlabel = "Details"\nurl = "https://intranet.northwind.example/vpn"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("picture.png", "video.mp4", "video.en.vtt", "video.fr.vtt"):
        (tmp_path / name).touch()
    return tmp_path


def read(folder: Path, text: str) -> Manifest:
    file = folder / "news.toml"
    file.write_text(text, encoding="utf-8")
    return read_manifest(file, NOW, HOSTS)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        read(folder, text)
    assert "news.toml" in refused.value.title
    return refused.value.message.split("\n")


def test_a_title_a_sender_and_an_audience_are_enough(folder: Path) -> None:
    manifest = read(folder, SHORTEST)
    assert manifest.starts == NOW.replace(microsecond=0)
    assert manifest.ends == manifest.starts + DEFAULT_SPAN
    assert (manifest.urgency, manifest.audience.everyone) == ("normal", True)
    assert manifest.acknowledge is False
    variant = manifest.variants["en"]
    assert (variant.title, variant.body) == ("VPN restarts at 18:00 tonight", "")
    assert (variant.links, variant.image, variant.video) == ((), None, None)


def test_everything_that_a_file_can_say_is_read(folder: Path) -> None:
    manifest = read(
        folder,
        """
        id = "c-lyon"
        sender = "Internal news"
        urgency = "urgent"
        acknowledge = true
        starts = 2026-11-24T09:00:00+01:00
        ends = 2026-11-30T17:00:00Z
        default_language = "fr-CA"
        [audience]
        groups = ["Lyon", "Lyon", " Paris "]
        people = ["lea.roux@northwind.example"]
        [variants.fr-CA]
        title = "Le studio"
        body = \"\"\"
        Deux
        lignes\"\"\"
        links = [{ label = "Plan", url = "https://northwind.example/plan", id = "plan" },
                 { label = "Vélos", url = "https://www.northwind.example/velos" }]
        [variants.fr-CA.image]
        file = "picture.png"
        alt = "Le plan"
        [variants.fr-CA.video]
        file = "video.mp4"
        poster = "picture.png"
        captions = [{ language = "fr", label = "Français", file = "video.fr.vtt" },
                    { language = "en", label = "English", file = "video.en.vtt" }]
        """,
    )
    assert (manifest.campaign_id, manifest.acknowledge) == ("c-lyon", True)
    assert manifest.starts == datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert manifest.ends == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert manifest.audience.groups == ("Lyon", "Paris")
    variant = manifest.variants["fr-CA"]
    assert variant.body.split() == ["Deux", "lignes"]
    assert [(link.link_id, link.label) for link in variant.links] == [("plan", "Plan"), ("l2", "Vélos")]
    assert variant.video is not None
    assert variant.video.alt == "Le studio"
    assert variant.video.poster is not None
    assert [captions.file.name for captions in variant.video.captions] == ["video.fr.vtt", "video.en.vtt"]


def test_media_are_found_next_to_the_file_or_in_a_folder_of_their_own(folder: Path, tmp_path: Path) -> None:
    text = SHORTEST + '[variants.en.image]\nfile = "picture.png"\nalt = "A picture"\n'
    assert read(folder, text).variants["en"].image is not None
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = elsewhere / "news.toml"
    file.write_text(text)
    image = read_manifest(file, NOW, HOSTS, folder).variants["en"].image
    assert image is not None
    assert image.file == folder / "picture.png"


@pytest.mark.parametrize(
    ("change", "key", "hint"),
    [
        (("sender", "sendr"), "sendr", "“sender”"),
        (("title =", "titel ="), "variants.en.titel", "“title”"),
        (('sender = "IT"', "sender = 7"), "sender", "text"),
        (('sender = "IT"', ""), "sender", "missing"),
        (('"VPN restarts at 18:00 tonight"', '"  "'), "variants.en.title", "empty"),
        (('"VPN restarts at 18:00 tonight"', f'"{"x" * 201}"'), "variants.en.title", "200"),
        (('"VPN restarts at 18:00 tonight"', '"a\\u0007b"'), "variants.en.title", "invisible"),
        (('default_language = "en"', 'default_language = "fr"'), "default_language", "variants.fr"),
        (('default_language = "en"', 'default_language = "English"'), "default_language", "“fr-CA”"),
        (("[variants.en]", "[variants.English]"), "variants.English", "“fr-CA”"),
        (("everyone = true", ""), "audience", "groups"),
        (("everyone = true", "everyone = false"), "audience", "groups"),
        (("everyone = true", 'everyone = true\ngroups = ["Lyon"]'), "audience.everyone", "one of the two"),
        (("everyone = true", "groups = [1]"), "audience.groups", '["Lyon", "Paris"]'),
        (("everyone = true", 'except_groups = ["Lyon"]'), "audience", "groups"),
        (
            ("everyone = true", 'groups = ["Lyon"]\nexcept_groups = ["LYON"]'),
            "audience.except_groups",
            "one of the two",
        ),
        (('sender = "IT"', 'sender = "IT"\nurgency = "urgnt"'), "urgency", "“urgent”"),
        (('sender = "IT"', 'sender = "IT"\nacknowledge = "yes"'), "acknowledge", "true or false"),
        (('sender = "IT"', 'sender = "IT"\nends = 9999-12-30T00:00:00Z'), "ends", "that year"),
        (('sender = "IT"', 'sender = "IT"\nid = "C Lyon"'), "id", "c-"),
        (('sender = "IT"', 'sender = "IT"\nstarts = 2026-11-23T09:00:00'), "starts", "time zone"),
        (('sender = "IT"', 'sender = "IT"\nstarts = 2026-11-23'), "starts", "+01:00"),
        (
            ('sender = "IT"', 'sender = "IT"\nstarts = 2026-11-01T09:00:00Z\nends = 2026-11-02T09:00:00Z'),
            "ends",
            "past",
        ),
        (('sender = "IT"', 'sender = "IT"\nends = 2026-11-01T09:00:00Z'), "ends", "after the start"),
        (('sender = "IT"', 'sender = "IT"\nends = 2028-11-01T09:00:00Z'), "ends", "year"),
    ],
)
def test_a_mistake_is_explained_with_its_key_and_what_to_do(
    folder: Path, change: tuple[str, str], key: str, hint: str
) -> None:
    assert change[0] in SHORTEST
    lines = mistakes(folder, SHORTEST.replace(*change))
    named = [line for line in lines if line.startswith(f"{key}: ")]
    assert named, lines
    assert any(hint in line for line in named), named


@pytest.mark.parametrize(
    ("addition", "key", "hint"),
    [
        (LINK * 6, "variants.en.links", "5"),
        (LINK + 'id = "video"\n', "variants.en.links[1].id", "taken"),
        (LINK + 'id = "l2"\n' + LINK, "variants.en.links[2].id", "taken"),
        (LINK + 'id = "No!"\n', "variants.en.links[1].id", "hyphen"),
        (LINK + 'href = "x"\n', "variants.en.links[1].href", "not known"),
        (LINK.replace("Details", "x" * 41), "variants.en.links[1].label", "40"),
        ('[variants.en.image]\nfile = "picture.png"\n', "variants.en.image.alt", "missing"),
        ('[variants.en.image]\nfile = "none.png"\nalt = "x"\n', "variants.en.image.file", "“none.png”"),
        ('[variants.en.video]\nposter = "picture.png"\n', "variants.en.video.file", "missing"),
        (
            '[variants.en.video]\nfile = "video.mp4"\n'
            + '[[variants.en.video.captions]]\nlanguage = "en"\nlabel = "English"\nfile = "video.en.vtt"\n'
            * 2,
            "variants.en.video.captions[2].language",
            "twice",
        ),
        ("links = 5\n", "variants.en.links", "list"),
        ("image = 5\n", "variants.en.image", "table"),
    ],
)
def test_a_mistake_in_a_variant_is_explained(folder: Path, addition: str, key: str, hint: str) -> None:
    lines = mistakes(folder, SHORTEST + addition)
    named = [line for line in lines if line.startswith(f"{key}: ")]
    assert named, lines
    assert any(hint in line for line in named), named


def test_all_mistakes_are_reported_together(folder: Path) -> None:
    lines = mistakes(
        folder, SHORTEST.replace("sender", "sendr").replace("everyone = true", "").replace("title", "tile")
    )
    assert {line.split(":")[0] for line in lines} == {
        "sender",
        "sendr",
        "audience",
        "variants.en.title",
        "variants.en.tile",
    }


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"sender = IT\n", "line 1"),
        ("sender = 'é'".encode("cp1252"), "UTF-8"),
        (b"#" * 600_000, "too large"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_a_reason(tmp_path: Path, content: bytes, hint: str) -> None:
    file = tmp_path / "news.toml"
    file.write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_manifest(file, NOW, HOSTS)
    assert hint in refused.value.message


def test_a_file_that_is_not_there_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        read_manifest(tmp_path / "none.toml", NOW, HOSTS)
    assert "cannot be read" in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key{number} = 1\n" for number in range(1_500)),
        SHORTEST + "".join(f"[variants.v{number}]\n" for number in range(1_000)),
        SHORTEST + "[[variants.en.links]]\n" * 800,
        SHORTEST.replace('"IT"', '"' + "🏴" + chr(0xE0061) * 15_000 + '"'),
        SHORTEST.replace("everyone = true", f"groups = [{', '.join(f'{n}' for n in range(3_000))}]"),
    ],
    ids=["keys", "variants", "links", "invisible", "groups"],
)
def test_a_file_of_mistakes_is_soon_refused_and_lists_the_first_of_them(folder: Path, text: str) -> None:
    began = time.process_time()
    listed = mistakes(folder, text)
    assert len(listed) <= MOST_MISTAKES
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_what_was_meant_is_found_among_ten_thousand_names_in_a_bounded_time() -> None:
    names = [
        f"{place} {number:05} of the company's departments and teams"
        for place in "LPM"
        for number in range(4_000)
    ]
    assert suggestion("Lyons", ["Lyon", "Paris"]) == "perhaps you mean “Lyon”"
    began = time.process_time()
    for number in range(MOST_MISTAKES):
        suggestion(f"L {number:05}x of the compamy's departments and teams", names)
        assert len(suggestion("x" * 20_000, names)) < 2_000
    assert time.process_time() - began < 20, "it took 80 s and more"


def test_a_campaign_may_start_later_and_then_runs_as_long(folder: Path) -> None:
    manifest = read(folder, SHORTEST.replace('sender = "IT"', 'sender = "IT"\nstarts = 2027-01-01T00:00:00Z'))
    assert manifest.ends - manifest.starts == DEFAULT_SPAN
    assert manifest.starts - NOW > timedelta(days=30)


DOTTED = ".".join(["a"] * 9_000)


@pytest.mark.parametrize(
    "line",
    [
        f"{DOTTED} = 1",
        f"[{DOTTED}]",
        f"[[{DOTTED}]]",
        f"x = {{ {DOTTED} = 1 }}",
        "x = [\n{" + DOTTED + " = 1}]",
        ".".join(['"x.y"'] * 9_000) + " = 1",
        DOTTED.replace("a", "'b' ") + " = 1",
        DOTTED.replace(".", " \t. ") + " = 1",
        f'y = """\\""""\n{DOTTED} = 1',
        f"y = '''\n#'''\n{DOTTED} = 1",
    ],
    ids=[
        "key", "table", "tables", "inline", "in-a-list", "quoted", "literal", "spaces", "after-a-text", "after-a-literal",
    ],
)  # fmt: skip
def test_a_key_of_very_many_parts_is_refused_before_it_is_parsed(folder: Path, line: str) -> None:
    (said,) = mistakes(folder, f"{line}\n{SHORTEST}")
    assert "more than 16 parts" in said


def test_dots_in_texts_and_remarks_make_no_key(folder: Path) -> None:
    dotted = DOTTED[:2_000]
    texts = f'body = """\n{dotted}\\"\n{dotted}\n"""\n' + LINK.replace(
        "Details", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"
    )
    manifest = read(
        folder, f"# {DOTTED}\n{SHORTEST}{texts}".replace("IT", "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8")
    )
    assert dotted in manifest.variants["en"].body


@pytest.mark.parametrize(
    "piece", ["a", "a ", '\\"', '"', "'", '"""\\"', "a.b ", "#", "-.", '"\\\n', "'\n", " \t"]
)
def test_what_is_no_campaign_file_is_soon_refused_however_long(folder: Path, piece: str) -> None:
    began = time.monotonic()
    assert mistakes(folder, (piece * 500_000)[:500_000])
    assert time.monotonic() - began < 20


def test_a_text_of_very_many_lines_is_refused_with_what_to_do(folder: Path) -> None:
    body = 'body = "{}b"'.format
    assert read(folder, SHORTEST + body(r"a\n" * 299)).variants["en"].body.count("\n") == 299
    (mistake,) = mistakes(folder, SHORTEST + body(r"a\n" * 300))
    assert "variants.en.body: it has 301 lines, 300 are allowed; leave out empty lines" in mistake


@pytest.mark.parametrize("sender", ["Tidings", "TIDINGS · Privacy", "The Ｔidings team"])
def test_an_announcement_is_not_sent_as_the_program_itself(folder: Path, sender: str) -> None:
    (mistake,) = mistakes(folder, SHORTEST.replace('"IT"', f'"{sender}"'))
    assert mistake.endswith(
        "sender: people would take it for a message of Tidings itself; say who speaks in your company."
    )
