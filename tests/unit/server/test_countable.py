"""Which links of a campaign are counted: what everybody gets, whichever language they read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.campaigns.countable import counted_as, ids, uncounted

variants = st.dictionaries(
    st.sampled_from(["en", "fr", "de", "es"]),
    st.lists(st.sampled_from(["a", "b", "c", "d", "e", "video"]), max_size=5, unique=True),
    min_size=1,
)


def _content(languages: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "default_language": next(iter(languages)),
        "variants": {
            language: {
                "links": [{"link_id": name} for name in names if name != "video"],
                "video": {"alt": "A video"} if "video" in names else None,
            }
            for language, names in languages.items()
        },
    }


@pytest.mark.parametrize(
    ("languages", "counted"),
    [
        ({"en": ["l1", "l2"]}, {"l1": "l1", "l2": "l2"}),
        ({"en": ["l1", "l2"], "fr": ["l2", "l1"]}, {"l1": "l1", "l2": "l2"}),
        ({"en": ["l1"], "fr": ["l1", "l2"]}, {"l1": "l1"}),
        ({"en": ["news"], "fr": ["nouvelles"]}, {"news": "news", "nouvelles": "news"}),
        ({"en": ["a", "news"], "fr": ["nouvelles", "a"]}, {"a": "a", "news": "news", "nouvelles": "news"}),
        ({"en": ["a", "b"], "fr": ["b", "c"], "de": ["d", "e"]}, dict.fromkeys("abcde", "a")),
        ({"en": ["l1"], "fr": []}, {}),
        ({"en": ["video"], "fr": ["video"]}, {"video": "video"}),
        ({"en": ["l1", "video"], "fr": ["l1"]}, {"l1": "l1"}),
        ({"en": ["video"], "fr": ["l1"]}, {}),
    ],
)
def test_what_is_in_every_variant_is_counted_and_the_rest_by_place(
    languages: dict[str, list[str]], counted: dict[str, str]
) -> None:
    assert counted_as(_content(languages)) == counted


@given(variants)
def test_every_figure_is_about_something_that_each_variant_has(languages: dict[str, list[str]]) -> None:
    content = _content(languages)
    counted = counted_as(content)
    for figure in set(counted.values()):
        together = {link_id for link_id, name in counted.items() if name == figure}
        assert figure in together
        assert all(together & set(own) for own in ids(content).values())
    everything = {name for own in languages.values() for name in own}
    assert {one.link_id for one in uncounted(content)} == everything - counted.keys()


def test_a_recalled_campaign_names_nothing() -> None:
    assert counted_as({"variants": {}, "default_language": "en"}) == {}
