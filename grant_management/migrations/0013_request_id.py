"""The ID of the request, in the log of calls."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grant_management", "0012_console_search")]

    operations = [
        migrations.AddField(
            model_name="call",
            name="request_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=128, verbose_name="request ID"),
        ),
    ]
