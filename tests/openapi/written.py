"""Writes docs/openapi.yaml: `DJANGO_SETTINGS_MODULE=gm_project.settings python -m tests.openapi.written`."""

from ..standalone import ROOT

PAGE = ROOT / "docs" / "openapi.yaml"
RELEASED = ROOT / "docs" / "openapi.released.yaml"
"""The last release's, which step 3 of docs/how-to/releasing.md replaces."""


def text():
    from drf_spectacular.renderers import OpenApiYamlRenderer

    from grant_management.contrib.openapi.document import document

    return OpenApiYamlRenderer().render(document()).decode()


if __name__ == "__main__":
    import django

    django.setup()
    PAGE.write_text(text())
