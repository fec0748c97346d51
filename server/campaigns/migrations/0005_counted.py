"""Which links of a campaign are counted: what is in every variant. Figures about other links go, the kept ones too."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from server.campaigns.countable import counted_as, uncounted

EMPTY = {"sharing": None, "people": None, "low": None, "high": None}


def count_what_is_in_every_variant(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    for campaign in apps.get_model("campaigns", "Campaign").objects.iterator(chunk_size=200):
        campaign.counted = counted_as(campaign.content)
        if campaign.result is not None:
            _hide(campaign)
        campaign.save(update_fields=["counted", "result"])


def _hide(campaign: Any) -> None:
    """Of a recalled campaign nobody knows which links were in which variant."""
    links = campaign.result["links"]
    everything = campaign.content.get("variants") and not uncounted(campaign.content)
    as_they_were = everything and all(link == figure for link, figure in campaign.counted.items())
    if links and not as_they_were:
        campaign.result["links"] = [_hidden(link, "not-in-every-variant") for link in links]
        _hide_signal(campaign.result, "click", "not-in-every-variant")
    if campaign.acknowledge:
        _hide_signal(campaign.result, "seen", "confirmed-by-name")


def _hide_signal(result: dict[str, Any], signal: str, why: str) -> None:
    for part in (result, *result["groups"]):
        part["figures"] = [
            _hidden(figure, why) if figure["name"] == signal else figure for figure in part["figures"]
        ]
    for day in result["days"]:
        day["people"][signal] = None


def _hidden(figure: dict[str, Any], why: str) -> dict[str, Any]:
    return figure | EMPTY | {"why": why}


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_acknowledge"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="counted",
            field=models.JSONField(
                default=dict,
                help_text="By link id: the figure in which a click is counted, see `countable`. It outlives the texts.",
            ),
        ),
        migrations.RunPython(count_what_is_in_every_variant, migrations.RunPython.noop),
    ]
