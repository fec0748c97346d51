"""Invitation codes and device tokens."""

import re
import secrets

import pytest
from django.test import override_settings

from server.devices.tokens import ALPHABET, code_hash, code_region, new_code, new_token, token_hash


def test_a_code_is_three_groups_without_letters_that_are_misread() -> None:
    codes = {new_code("eu") for _ in range(500)} | {new_code("us") for _ in range(500)}
    assert len(codes) == 1000
    assert all(re.fullmatch(r"([0-9A-HJKMNP-Z]{4}-){2}[0-9A-HJKMNP-Z]{4}", code) for code in codes)


@pytest.mark.parametrize("region", ["eu", "us"])
def test_a_code_tells_its_region_however_it_is_typed(region: str) -> None:
    for _ in range(200):
        code = new_code(region)
        assert {code_region(text) for text in (code, code.lower(), code.replace("-", " "))} == {region}


def test_a_code_from_before_regions_tells_none() -> None:
    old = ["".join(secrets.choice(ALPHABET) for _ in range(12)) for _ in range(500)]
    assert {code_region(code) for code in (*old, "", "-", "K")} == {None}


@override_settings(SECRET_KEY="one")
def test_a_code_is_recognised_however_it_is_typed() -> None:
    assert {
        code_hash(text) for text in ("0A1B-2C3D-4E5F", "0a1b2c3d4e5f", " oaib 2c3d 4e5f ", "OALB-2C3D-4E5F")
    } == {code_hash("0A1B-2C3D-4E5F")}


def test_a_copy_of_the_database_alone_does_not_tell_codes() -> None:
    hashes = set()
    for secret in ("one", "two"):
        with override_settings(SECRET_KEY=secret):
            hashes.add(code_hash("0A1B-2C3D-4E5F"))
    assert len(hashes) == 2


def test_a_token_is_short_enough_for_every_keychain_and_never_repeats() -> None:
    tokens = [new_token() for _ in range(500)]
    assert len({token_hash(token) for token in tokens}) == 500
    assert all(token.startswith("tdt_") and len(token) <= 128 for token in tokens)
