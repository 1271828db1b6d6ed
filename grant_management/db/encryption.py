"""Encrypts secrets that have to be read again, under keys that are kept outside of the database."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..conf import app_settings


class CannotDecrypt(Exception):
    """There is no key in `ENCRYPTION_KEYS`, or the secret was encrypted under another one."""


def has_keys() -> bool:
    """Whether there is a key in `ENCRYPTION_KEYS`."""
    return bool(app_settings.encryption_keys)


def encrypt(secret: bytes) -> bytes:
    """The secret under the first key. CannotDecrypt: there is no key."""
    return _keys().encrypt(secret)


def decrypt(sealed: bytes) -> bytes:
    """The secret. CannotDecrypt: none of the keys fits."""
    try:
        return _keys().decrypt(bytes(sealed))
    except InvalidToken:
        raise CannotDecrypt from None


def renewed(sealed: bytes) -> bytes:
    """The same secret under the first key. CannotDecrypt: none of the keys fits."""
    try:
        return _keys().rotate(bytes(sealed))
    except InvalidToken:
        raise CannotDecrypt from None


def is_current(sealed: bytes) -> bool:
    """Whether the secret is under the first key."""
    try:
        Fernet(app_settings.encryption_keys[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def _keys() -> MultiFernet:
    if not has_keys():
        raise CannotDecrypt
    return MultiFernet([Fernet(key) for key in app_settings.encryption_keys])
