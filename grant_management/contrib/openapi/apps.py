"""The Django app of the OpenAPI document."""

from django.apps import AppConfig


class OpenAPIConfig(AppConfig):
    """The document at `/api/schema`, and the page to read and try it."""

    name = "grant_management.contrib.openapi"
    label = "grant_management_openapi"
    verbose_name = "OpenAPI document"
