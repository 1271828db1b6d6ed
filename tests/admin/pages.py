"""Addresses of the admin's pages."""

from django.urls import reverse


def page_of(name, key):
    """Of a row, such as `grant_change`."""
    return reverse(f"admin:grant_management_{name}", args=[key])
