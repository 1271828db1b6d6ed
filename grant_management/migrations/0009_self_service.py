"""Plain words for people, and self-service tokens."""

import django.db.models.deletion
import grant_management.db.ids
import grant_management.models.service
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('grant_management', '0008_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='can_issue_self_service',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can issue self-service tokens'),
        ),
        migrations.AddField(
            model_name='service',
            name='self_service_origins',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list, help_text='Origins of web pages that may call the self-service API, such as https://app.example.com; no wildcards.', validators=[grant_management.models.service.validate_origins]),
        ),
        migrations.AlterField(
            model_name='grantevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('description_changed', 'Description changed'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='organizationevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('description_changed', 'Description changed'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again')], max_length=20, verbose_name='what'),
        ),
        migrations.CreateModel(
            name='ClientProfile',
            fields=[
                ('client', models.OneToOneField(db_index=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='grant_management.client', verbose_name='client')),
                ('texts', models.JSONField(default=list, verbose_name='texts')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': "client's profile",
                'verbose_name_plural': "clients' profiles",
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['service', 'client'], name='gm_profile_service')],
            },
        ),
        migrations.CreateModel(
            name='Description',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('scope', 'scope'), ('authorization_type', 'authorization type')], max_length=20, verbose_name='kind')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('sensitivity', models.CharField(choices=[('low', 'low'), ('medium', 'medium'), ('high', 'high')], default='medium', max_length=10, verbose_name='sensitivity')),
                ('texts', models.JSONField(default=list, verbose_name='texts')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'description',
                'verbose_name_plural': 'descriptions',
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('service', 'kind', 'name'), name='gm_description_unique')],
            },
        ),
        migrations.CreateModel(
            name='Logo',
            fields=[
                ('client', models.OneToOneField(db_index=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='grant_management.client', verbose_name='client')),
                ('digest', models.BinaryField(max_length=32)),
                ('content', models.BinaryField()),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'logo',
                'verbose_name_plural': 'logos',
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['service', 'digest'], name='gm_logo_digest')],
            },
        ),
        migrations.CreateModel(
            name='SelfServiceToken',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('subject', models.CharField(max_length=255, verbose_name='subject')),
                ('access', models.CharField(choices=[('view', 'view'), ('revoke', 'view and revoke')], max_length=10, verbose_name='access')),
                ('issued_at', models.DateTimeField(verbose_name='issued')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('api_token', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.apitoken', verbose_name='API token')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'self-service token',
                'verbose_name_plural': 'self-service tokens',
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['service', 'expires_at'], name='gm_self_service_expires')],
                'constraints': [models.UniqueConstraint(fields=('service', 'digest'), name='gm_self_service_digest')],
            },
        ),
    ]
