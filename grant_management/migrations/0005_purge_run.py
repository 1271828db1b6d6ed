from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("grant_management", "0004_members_of_all")]

    operations = [
        migrations.CreateModel(
            name="PurgeRun",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("thorough_at", models.DateTimeField(null=True)),
                ("deleted", models.PositiveBigIntegerField(default=0, verbose_name="deleted rows")),
                ("holder", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
            ],
            options={"base_manager_name": "objects"},
        ),
    ]
