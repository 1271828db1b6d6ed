import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models


def long_key():
    return "u" * 290 + secrets.token_hex(8)


class LongUser(AbstractUser):
    id = models.CharField(primary_key=True, max_length=400, default=long_key)
