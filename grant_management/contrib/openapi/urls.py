"""The document and its page, which a host includes before `grant_management.urls`.

Those answer every other path below `api/` with 404.
"""

from django.urls import re_path

from .views import PageView, SchemaView

app_name = "grant_management_openapi"

urlpatterns = [
    re_path(r"^api/schema\Z", SchemaView.as_view(), name="schema"),
    re_path(r"^api/schema/page\Z", PageView.as_view(), name="page"),
]
