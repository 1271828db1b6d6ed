"""`reencrypt_secrets [--batch-size N] [--dry-run]`."""

from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...db import encryption
from ...fields import members as m
from ...models.sealed_secrets import Found, reencrypt
from ..base import GrantManagementCommand, taken
from ..progress import progress


class Command(GrantManagementCommand):
    """Puts stored secrets under the first of the encryption keys."""

    help = (
        "Encrypt the keys of webhooks and streams, and what authorises calls of receivers, under"
        " the first of ENCRYPTION_KEYS, so that the keys behind it can be removed. Run it once"
        " every process has the new key. Beside running servers, safe to interrupt and to run"
        " again. Exit code 1: none of the keys fits a secret."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the size of a batch, and `--dry-run`."""
        super().add_arguments(parser)
        parser.add_argument(
            "--batch-size", type=int, default=500, metavar="N", help="rows that are read at once"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, **options: Any) -> None:
        """Encrypt them. CommandError: there are no keys, or none fits one of the secrets."""
        if not encryption.has_keys():
            raise CommandError("Set ENCRYPTION_KEYS: there is no key to encrypt with.")
        size, dry = taken(options, m.BATCH_SIZE), options["dry_run"]
        counts = Counter(dict.fromkeys(Found, 0))
        with progress("Encrypting") as advance:

            def encrypt() -> None:
                for found in reencrypt(size, is_dry=dry):
                    counts[found] += 1
                    advance(1)

            self.in_each_database(encrypt)
        old, current, lost = (counts[one] for one in (Found.OLD, Found.CURRENT, Found.LOST))
        said = "would be encrypted anew" if dry else "encrypted anew"
        text = f"{old} secret(s) {said}, {current} under the first key already, {lost} lost."
        self.answer(options, {one.value: number for one, number in counts.items()}, text)
        if lost:
            raise CommandError("None of ENCRYPTION_KEYS fits the lost secrets: rotate their keys.")
