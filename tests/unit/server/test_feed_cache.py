"""What the server remembers between polls."""

from server.feed.feed import Remembered


def test_a_value_is_made_again_only_after_it_was_least_recently_used() -> None:
    cache: Remembered[str] = Remembered(most=2)
    made = []
    for name in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(name, lambda name=name: made.append(name) or name) == name
    assert made == ["a", "b", "c", "b"]


def test_values_count_by_their_weight() -> None:
    cache: Remembered[bytes] = Remembered(most=10, weight=len)
    made = []
    for size in (4, 5, 8, 4):
        cache.get(size, lambda size=size: made.append(size) or b"x" * size)
    assert made == [4, 5, 8, 4]
    assert cache.get(11, lambda: b"x" * 11) == b"x" * 11
