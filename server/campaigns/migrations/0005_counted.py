"""Which links of a campaign are counted: what is in every variant. Figures about other links go, the kept ones too."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from server.campaigns.countable import counted_as, hide_uncounted


def count_what_is_in_every_variant(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    for campaign in apps.get_model("campaigns", "Campaign").objects.iterator(chunk_size=200):
        campaign.counted = counted_as(campaign.content)
        if campaign.result is not None:
            hide_uncounted(campaign)
        campaign.save(update_fields=["counted", "result"])


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
