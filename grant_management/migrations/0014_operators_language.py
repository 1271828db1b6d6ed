"""The language that an operator chose. The other fields get names for people: that changes no table."""

import django.core.validators
import grant_management.db.ids
import grant_management.models.service
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('grant_management', '0013_request_id'),
    ]

    operations = [
        migrations.AddField(
            model_name='operatorpreference',
            name='language',
            field=models.CharField(blank=True, db_default='', default='', max_length=35, verbose_name='language'),
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='generation',
            field=models.PositiveIntegerField(default=0, verbose_name='generation'),
        ),
        migrations.AlterField(
            model_name='accesstoken',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='call',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='client',
            name='id',
            field=models.BigIntegerField(default=grant_management.db.ids.random_number, primary_key=True, serialize=False, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(9007199254740991)], verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='description',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='dpopnonce',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='grant',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='grantevent',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='organization',
            name='id',
            field=models.BigIntegerField(default=grant_management.db.ids.random_number, primary_key=True, serialize=False, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(9223372036854775807)], verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='organizationevent',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='generation',
            field=models.PositiveIntegerField(default=0, verbose_name='generation'),
        ),
        migrations.AlterField(
            model_name='refreshtoken',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='selfservicetoken',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='service',
            name='access_token_duration',
            field=models.PositiveIntegerField(default=3600, help_text='Lifetime of a new access token in seconds, if the caller gives none.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(2147483647)], verbose_name='access token duration'),
        ),
        migrations.AlterField(
            model_name='service',
            name='action_required',
            field=models.BooleanField(default=False, help_text='Authorization requests must carry a grant_management_action.', verbose_name='action required'),
        ),
        migrations.AlterField(
            model_name='service',
            name='actions_supported',
            field=models.JSONField(blank=True, default=grant_management.models.service.all_actions, help_text='Actions that the metadata offers and authorization requests may use.', validators=[grant_management.models.service.validate_actions], verbose_name='actions supported'),
        ),
        migrations.AlterField(
            model_name='service',
            name='call_log_size',
            field=models.PositiveIntegerField(default=0, help_text='Number of calls that are kept in the log; 0 keeps none. No credentials are stored.', validators=[django.core.validators.MaxValueValidator(1000000)], verbose_name='call log size'),
        ),
        migrations.AlterField(
            model_name='service',
            name='dpop_clock_skew',
            field=models.PositiveIntegerField(default=60, help_text="Seconds by which a client's clock may differ.", validators=[django.core.validators.MaxValueValidator(3600)], verbose_name='DPoP clock skew'),
        ),
        migrations.AlterField(
            model_name='service',
            name='dpop_max_age',
            field=models.PositiveIntegerField(default=60, help_text='Maximum age of a proof in seconds; older ones are refused with A281307.', validators=[django.core.validators.MaxValueValidator(3600)], verbose_name='DPoP maximum age'),
        ),
        migrations.AlterField(
            model_name='service',
            name='dpop_nonce_duration',
            field=models.PositiveIntegerField(default=300, help_text='Seconds for which a nonce is handed out. It is accepted for the same time again afterwards.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)], verbose_name='DPoP nonce duration'),
        ),
        migrations.AlterField(
            model_name='service',
            name='dpop_nonce_required',
            field=models.BooleanField(default=False, help_text='Every DPoP proof must carry a nonce of this service; others are refused with A281309.', verbose_name='DPoP nonce required'),
        ),
        migrations.AlterField(
            model_name='service',
            name='dpop_signing_algs',
            field=models.JSONField(default=grant_management.models.service.all_algs, help_text='Algorithms that a proof may be signed with; others are refused with A281307.', validators=[grant_management.models.service.validate_algs], verbose_name='DPoP signing algorithms'),
        ),
        migrations.AlterField(
            model_name='service',
            name='grant_management_endpoint',
            field=models.CharField(blank=True, default='', help_text="The URL under which grants are resources. A proof's htu must match it if the call sends no htu.", max_length=2000, validators=[grant_management.models.service.validate_endpoint], verbose_name='grant management endpoint'),
        ),
        migrations.AlterField(
            model_name='service',
            name='id',
            field=models.BigIntegerField(default=grant_management.db.ids.random_number, primary_key=True, serialize=False, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(9223372036854775807)], verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='service',
            name='ownership',
            field=models.CharField(choices=[('client_and_subject', 'grants of its client and subject'), ('client', 'all grants of its client')], default='client_and_subject', help_text='The grants that a token may manage; others are refused with A284301 or A284302.', max_length=20, verbose_name='ownership'),
        ),
        migrations.AlterField(
            model_name='service',
            name='realm',
            field=models.CharField(blank=True, default='', help_text="The realm of a challenge; empty: the service's name.", max_length=255, validators=[grant_management.models.service.validate_storable], verbose_name='realm'),
        ),
        migrations.AlterField(
            model_name='service',
            name='refresh_token_duration',
            field=models.PositiveIntegerField(default=2592000, help_text='Lifetime of a new refresh token in seconds, if the caller gives none.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(2147483647)], verbose_name='refresh token duration'),
        ),
        migrations.AlterField(
            model_name='service',
            name='revoke_access_tokens',
            field=models.BooleanField(default=True, help_text='A revoke kills access tokens too; refresh tokens always die.', verbose_name='revoke access tokens'),
        ),
        migrations.AlterField(
            model_name='service',
            name='self_service_origins',
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list, help_text='Origins of web pages that may call the self-service API, such as https://app.example.com; no wildcards.', validators=[grant_management.models.service.validate_origins], verbose_name='self-service origins'),
        ),
        migrations.AlterField(
            model_name='service',
            name='show_timestamps',
            field=models.BooleanField(default=False, help_text='A QUERY also shows created_at, expires_at, last_updated_at and updated_by.', verbose_name='show timestamps'),
        ),
        migrations.AlterField(
            model_name='service',
            name='track_last_used',
            field=models.BooleanField(default=False, help_text='Tokens and grants remember when they were used last, to the minute.', verbose_name='track last used'),
        ),
        migrations.AlterField(
            model_name='sweep',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='webhook',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='webhookattempt',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='id',
            field=models.UUIDField(default=grant_management.db.ids.uuid7, primary_key=True, serialize=False, verbose_name='ID'),
        ),
    ]
