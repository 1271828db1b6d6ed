"""Services and clients can be deleted; API tokens may manage both."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('grant_management', '0006_tokens_by_grant'),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='can_manage_clients',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can manage clients'),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='can_manage_services',
            field=models.BooleanField(db_default=False, default=False, verbose_name='can manage services'),
        ),
        migrations.AddField(
            model_name='client',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='deleted'),
        ),
        migrations.AddField(
            model_name='service',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='deleted'),
        ),
        migrations.AlterField(
            model_name='grantevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished')], max_length=20, verbose_name='what'),
        ),
        migrations.AlterField(
            model_name='organizationevent',
            name='kind',
            field=models.CharField(choices=[('created', 'Grant created'), ('merged', 'Grant merged'), ('replaced', 'Grant replaced'), ('revoked', 'Grant revoked'), ('refresh_reused', 'Rotated refresh token used again'), ('tokens_revoked', 'Tokens revoked'), ('cut_off', 'Cut-off moved'), ('client_locked', 'Client locked'), ('client_unlocked', 'Client unlocked'), ('nonce_expired', 'DPoP nonce expired by hand'), ('imported', 'Records imported'), ('api_token_issued', 'API token issued'), ('api_token_rotated', 'API token rotated'), ('api_token_revoked', 'API token revoked'), ('api_token_changed', 'API token changed'), ('organization_created', 'Organization created'), ('service_created', 'Service created'), ('service_deleted', 'Service deleted'), ('member_added', 'Member added'), ('member_removed', 'Member removed'), ('settings_changed', 'Settings changed'), ('client_created', 'Client created'), ('client_changed', 'Client changed'), ('client_deleted', 'Client deleted'), ('token_changed', 'Access token changed'), ('job_started', 'Revoke by filter started'), ('job_paused', 'Revoke by filter paused'), ('job_resumed', 'Revoke by filter resumed'), ('job_finished', 'Revoke by filter finished')], max_length=20, verbose_name='what'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('service', None), ('can_manage_services', False), _connector='OR'), name='gm_api_token_services_by_organizations'),
        ),
    ]
