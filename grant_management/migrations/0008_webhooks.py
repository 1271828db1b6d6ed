"""Events are put into an outbox, sent to webhooks, read as a stream, and chained."""

import django.db.models.deletion
import grant_management.db.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('grant_management', '0007_deleted_and_rights'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventChain',
            fields=[
                ('service', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='grant_management.service')),
                ('number', models.BigIntegerField(default=0)),
                ('position', models.BigIntegerField(default=0)),
                ('digest', models.BinaryField(default=b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00')),
                ('purged_position', models.BigIntegerField(default=0)),
                ('purged_digest', models.BinaryField(default=b'\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00')),
                ('checkpoint', models.TextField(blank=True, default='')),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='OutboxHead',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('last', models.BigIntegerField(default=1000000000000)),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddField(
            model_name='apitoken',
            name='can_manage_webhooks',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can manage webhooks'),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='can_read_events',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can read events'),
        ),
        migrations.AddField(
            model_name='service',
            name='publishes_events',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AlterField(
            model_name='grantevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='organizationevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again')], max_length=20, verbose_name='what'),
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=2000, verbose_name='URL')),
                ('description', models.CharField(blank=True, default='', max_length=255, verbose_name='description')),
                ('event_types', models.JSONField(blank=True, default=list, verbose_name='event types')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('disabled_at', models.DateTimeField(blank=True, null=True, verbose_name='disabled')),
                ('deleted_at', models.DateTimeField(blank=True, null=True, verbose_name='deleted')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('paused_until', models.DateTimeField(blank=True, null=True, verbose_name='paused until')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'permissions': [('manage_webhook', 'Can manage webhook')],
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('event', models.UUIDField(verbose_name='event')),
                ('type', models.CharField(max_length=50, verbose_name='type')),
                ('grant_id', models.CharField(blank=True, default='', max_length=255, verbose_name='grant ID')),
                ('number', models.BigIntegerField(verbose_name='number')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('due_at', models.DateTimeField(null=True, verbose_name='due')),
                ('claimed_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='delivered')),
                ('dead_at', models.DateTimeField(null=True, verbose_name='given up')),
                ('webhook', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='grant_management.webhook', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='at')),
                ('milliseconds', models.PositiveIntegerField(verbose_name='milliseconds')),
                ('outcome', models.CharField(choices=[('delivered', 'Delivered'), ('refused', 'Refused by its status'), ('redirected', 'Redirected, which is not followed'), ('gone', 'The receiver is gone (410)'), ('timed_out', 'No answer in time'), ('not_connected', 'No connection'), ('not_trusted', 'The certificate is not trusted'), ('not_resolved', 'The name has no address'), ('not_allowed', 'The address is not allowed'), ('no_key', 'The key cannot be decrypted'), ('no_event', 'The event was purged')], max_length=20, verbose_name='outcome')),
                ('status', models.PositiveSmallIntegerField(null=True, verbose_name='status')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='log', to='grant_management.webhookdelivery', verbose_name='delivery')),
            ],
            options={
                'verbose_name': 'webhook attempt',
                'verbose_name_plural': 'webhook attempts',
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='WebhookKey',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=3)),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='grant_management.webhook')),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='EventLink',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.BigIntegerField()),
                ('event', models.UUIDField()),
                ('content', models.BinaryField()),
                ('digest', models.BinaryField()),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service')),
            ],
            options={
                'base_manager_name': 'objects',
                'constraints': [models.UniqueConstraint(fields=('service', 'position'), name='gm_link_position'), models.UniqueConstraint(fields=('service', 'event'), name='gm_link_event')],
            },
        ),
        migrations.CreateModel(
            name='OutboxEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('event', models.UUIDField(unique=True)),
                ('number', models.BigIntegerField(null=True)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service')),
            ],
            options={
                'base_manager_name': 'objects',
                'indexes': [models.Index(condition=models.Q(('number__isnull', True)), fields=['id'], name='gm_outbox_waiting')],
                'constraints': [models.UniqueConstraint(fields=('service', 'number'), name='gm_outbox_number')],
            },
        ),
        migrations.AddIndex(
            model_name='webhook',
            index=models.Index(fields=['service', 'id'], name='gm_webhook_service'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'number'], name='gm_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['webhook', 'grant_id', 'number'], name='gm_delivery_order'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['event'], name='gm_delivery_event'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['webhook', '-id'], name='gm_delivery_newest'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('webhook', 'event'), name='gm_delivery_unique'),
        ),
    ]
