"""Files of campaigns: whole, in ranges, and only to those who may see them."""

import pytest
import requests

from server.campaigns.models import Campaign, Media
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def video(northwind: ServerHome) -> Media:
    """A video in a campaign for Sales."""
    bulk_data.add_people(1, group="Sales")
    bulk_data.add_people(1, group="Works")
    media = bulk_data.add_media(CONTENT, "video/mp4")
    bulk_data.publish("c-video", starts=an_hour_ago(), groups=["Sales"], media=[media])
    return media


@pytest.fixture
def viewer(video: Media, serving: RunningServer) -> Computer:
    """A computer of somebody in Sales."""
    return bulk_data.connect(serving, "p0@northwind.example")


def test_a_file_comes_whole_with_its_tag_and_type(video: Media, viewer: Computer) -> None:
    answer = viewer.get(f"/media/{video.sha256}")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["ETag"] == f'"{video.sha256}"'
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=5-5", 5, 5),
        ("bytes=1023990-", 1_023_990, 1_023_999),
        ("bytes=-10", 1_023_990, 1_023_999),
        ("bytes=1000000-9999999", 1_000_000, 1_023_999),
    ],
)
def test_a_range_is_answered_with_that_part(
    video: Media, viewer: Computer, wanted: str, first: int, last: int
) -> None:
    answer = viewer.get(f"/media/{video.sha256}", Range=wanted)
    assert answer.status_code == 206
    assert answer.content == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"


def test_a_range_past_the_end_is_refused_with_the_size(video: Media, viewer: Computer) -> None:
    answer = viewer.get(f"/media/{video.sha256}", Range="bytes=9999999-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_if_range_continues_the_same_file_only(video: Media, viewer: Computer) -> None:
    same = viewer.get(f"/media/{video.sha256}", Range="bytes=10-19", If_Range=f'"{video.sha256}"')
    assert (same.status_code, same.content) == (206, CONTENT[10:20])
    other = viewer.get(f"/media/{video.sha256}", Range="bytes=10-19", If_Range='"another"')
    assert (other.status_code, other.content) == (200, CONTENT)


def test_a_known_file_is_not_sent_again(video: Media, viewer: Computer) -> None:
    answer = viewer.get(f"/media/{video.sha256}", If_None_Match=f'"{video.sha256}"')
    assert (answer.status_code, answer.content) == (304, b"")


def test_those_who_are_not_in_the_audience_find_nothing(video: Media, serving: RunningServer) -> None:
    outsider = bulk_data.connect(serving, "p1@northwind.example")
    assert outsider.get(f"/media/{video.sha256}").status_code == 404
    assert requests.get(f"{serving.url}/api/v1/media/{video.sha256}", timeout=30).status_code == 401


def test_a_recalled_campaign_shows_its_files_to_nobody(video: Media, viewer: Computer) -> None:
    Campaign.objects.update(status=Campaign.Status.RECALLED)
    assert viewer.get(f"/media/{video.sha256}").status_code == 404


@pytest.mark.parametrize("name", ["0" * 64, "x", "..%2f..%2fsecret.key", "A" * 64])
def test_other_names_lead_nowhere(viewer: Computer, name: str) -> None:
    answer = viewer.get(f"/media/{name}")
    assert answer.status_code in {404, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_file_that_the_disk_lost_is_a_404_not_a_crash(
    northwind: ServerHome, video: Media, viewer: Computer
) -> None:
    next(northwind.folder.glob(f"media/*/*/{video.sha256}")).unlink()
    assert viewer.get(f"/media/{video.sha256}").status_code == 404
    check = northwind.command("check", "--json")
    assert check.returncode == 1
    assert video.sha256 in check.stdout
