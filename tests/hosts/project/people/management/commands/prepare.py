"""Migrate, import, log an operator in."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import BaseCommand, call_command

import grant_management

assert "site-packages" in grant_management.__file__, grant_management.__file__


class Command(BaseCommand):
    """`prepare RECORDS` prints the key of the operator's session."""

    def add_arguments(self, parser):
        parser.add_argument("records")

    def handle(self, *args, **options):
        call_command("makemigrations", "people", verbosity=0)
        call_command("makemigrations", "grant_management", check=True, dry_run=True, verbosity=0)
        for alias in settings.DATABASES:
            call_command("migrate", database=alias, verbosity=0)
        call_command("check", fail_level="WARNING", databases=list(settings.DATABASES))
        call_command("import_grants", options["records"], verbosity=0)
        call_command("purge_expired", verbosity=0)
        self.stdout.write(_logged_in(get_user_model().objects.create_superuser("b-1")))


def _logged_in(operator):
    session = SessionStore()
    session[SESSION_KEY] = str(operator.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = operator.get_session_auth_hash()
    session.save()
    return session.session_key
