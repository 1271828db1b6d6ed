import django.db.models.deletion
import grant_management.db.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('allauth_idp_oidc', '0003_client_allow_uri_wildcards'),
        ('grant_management', '0004_members_of_all'),
    ]

    operations = [
        migrations.CreateModel(
            name='IssuedCode',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('generation', models.PositiveIntegerField(null=True)),
                ('grant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to='grant_management.grant')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='grant_management.service')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('service', 'digest'), name='gm_allauth_code_unique')],
            },
        ),
        migrations.CreateModel(
            name='LinkedToken',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('family', models.UUIDField(null=True)),
                ('grant', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='grant_management.grant')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='grant_management.service')),
                ('token', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='allauth_idp_oidc.token')),
            ],
            options={
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['service', 'grant'], name='gm_allauth_token_grant'), models.Index(fields=['service', 'family'], name='gm_allauth_token_family')],
            },
        ),
    ]
