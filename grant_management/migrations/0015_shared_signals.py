"""Streams of Shared Signals, their deliveries and subjects, and the keys that sign."""

import django.db.models.deletion
import grant_management.db.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('grant_management', '0014_operators_language'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='can_manage_streams',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can manage streams'),
        ),
        migrations.AlterField(
            model_name='grantevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('organization_changed', 'Organization changed'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('operator_created', 'Operator created'), ('operator_changed', 'Operator changed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('description_changed', 'Description changed'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again'), ('stream_created', 'Stream created'), ('stream_changed', 'Stream changed'), ('stream_deleted', 'Stream deleted'), ('stream_verified', 'Verification of a stream asked for'), ('subject_added', 'Subject added to a stream'), ('subject_removed', 'Subject removed from a stream'), ('signing_key_rotated', 'Signing key rotated')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='organizationevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('organization_changed', 'Organization changed'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('operator_created', 'Operator created'), ('operator_changed', 'Operator changed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('description_changed', 'Description changed'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished'), ('webhook_created', 'Webhook created'), ('webhook_changed', 'Webhook changed'), ('webhook_deleted', 'Webhook deleted'), ('webhook_key_rotated', "Webhook's key rotated"), ('webhook_disabled', 'Webhook disabled by its receiver'), ('webhook_tested', 'Webhook tested'), ('webhook_replayed', 'Events sent again'), ('stream_created', 'Stream created'), ('stream_changed', 'Stream changed'), ('stream_deleted', 'Stream deleted'), ('stream_verified', 'Verification of a stream asked for'), ('subject_added', 'Subject added to a stream'), ('subject_removed', 'Subject removed from a stream'), ('signing_key_rotated', 'Signing key rotated')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='webhookattempt',
            name='outcome',
            field=models.CharField(choices=[('delivered', 'Delivered'), ('refused', 'Refused by its status'), ('redirected', 'Redirected, which is not followed'), ('gone', 'The receiver is gone (410)'), ('timed_out', 'No answer in time'), ('not_connected', 'No connection'), ('not_trusted', 'The certificate is not trusted'), ('not_resolved', 'The name has no address'), ('not_allowed', 'The address is not allowed'), ('no_key', 'The key cannot be decrypted'), ('no_event', 'The event was purged'), ('not_accepted', 'Refused for good by its receiver')], max_length=20, verbose_name='outcome'),
        ),
        migrations.CreateModel(
            name='Stream',
            fields=[
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('paused_until', models.DateTimeField(blank=True, null=True, verbose_name='paused until')),
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('method', models.CharField(choices=[('push', 'Push (RFC 8935)'), ('poll', 'Poll (RFC 8936)')], max_length=4, verbose_name='method')),
                ('url', models.CharField(blank=True, default='', max_length=2000, verbose_name='URL')),
                ('header', models.BinaryField(null=True)),
                ('events_requested', models.JSONField(default=list, verbose_name='events requested')),
                ('description', models.CharField(blank=True, default='', max_length=255, verbose_name='description')),
                ('status', models.CharField(choices=[('enabled', 'Enabled'), ('paused', 'Paused'), ('disabled', 'Disabled')], default='enabled', max_length=8, verbose_name='status')),
                ('reason', models.CharField(blank=True, default='', max_length=255, verbose_name='reason')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('verified_at', models.DateTimeField(null=True, verbose_name='verification asked for')),
                ('deleted_at', models.DateTimeField(null=True, verbose_name='deleted')),
                ('api_token', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.apitoken', verbose_name='API token')),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'stream',
                'verbose_name_plural': 'streams',
                'permissions': [('manage_stream', 'Can manage stream')],
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='StreamDelivery',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.UUIDField(verbose_name='event')),
                ('grant_id', models.CharField(blank=True, default='', max_length=255, verbose_name='grant ID')),
                ('number', models.BigIntegerField(verbose_name='number')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('due_at', models.DateTimeField(null=True, verbose_name='due')),
                ('claimed_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='delivered')),
                ('dead_at', models.DateTimeField(null=True, verbose_name='given up')),
                ('type', models.CharField(max_length=255, verbose_name='type')),
                ('details', models.JSONField(default=dict)),
                ('outcome', models.CharField(choices=[('delivered', 'Delivered'), ('refused', 'Refused by its status'), ('redirected', 'Redirected, which is not followed'), ('gone', 'The receiver is gone (410)'), ('timed_out', 'No answer in time'), ('not_connected', 'No connection'), ('not_trusted', 'The certificate is not trusted'), ('not_resolved', 'The name has no address'), ('not_allowed', 'The address is not allowed'), ('no_key', 'The key cannot be decrypted'), ('no_event', 'The event was purged'), ('not_accepted', 'Refused for good by its receiver')], default='', max_length=20, verbose_name='outcome')),
                ('stream', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='grant_management.stream', verbose_name='stream')),
            ],
            options={
                'verbose_name': 'stream delivery',
                'verbose_name_plural': 'stream deliveries',
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='StreamSubject',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('subject', models.TextField()),
                ('removed_at', models.DateTimeField()),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service')),
                ('stream', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='grant_management.stream')),
            ],
            options={
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False)),
                ('kid', models.CharField(max_length=43)),
                ('jwk', models.JSONField()),
                ('sealed', models.BinaryField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('service', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='grant_management.service')),
            ],
            options={
                'base_manager_name': 'objects',
                'indexes': [models.Index(fields=['service', 'id'], name='gm_signing_key_service')],
            },
        ),
        migrations.AddIndex(
            model_name='stream',
            index=models.Index(fields=['service', 'api_token', 'id'], name='gm_stream_receiver'),
        ),
        migrations.AddIndex(
            model_name='streamdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'number'], name='gm_signal_due'),
        ),
        migrations.AddIndex(
            model_name='streamdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['stream', 'grant_id', 'number'], name='gm_signal_order'),
        ),
        migrations.AddIndex(
            model_name='streamdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['stream', 'number', 'id'], name='gm_signal_poll'),
        ),
        migrations.AddIndex(
            model_name='streamdelivery',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['event'], name='gm_signal_event'),
        ),
        migrations.AddConstraint(
            model_name='streamdelivery',
            constraint=models.UniqueConstraint(fields=('stream', 'event', 'type'), name='gm_signal_unique'),
        ),
        migrations.AddConstraint(
            model_name='streamsubject',
            constraint=models.UniqueConstraint(fields=('service', 'digest', 'stream'), name='gm_stream_subject_unique'),
        ),
    ]
