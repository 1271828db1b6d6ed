"""The admin site of the standalone project: its first page is the overview."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .login.site import ThrottledSite


class OperatorsSite(ThrottledSite):
    """The admin site, where operators log in; too many failed logins are refused for a while."""

    site_header = _("Grant management")
    site_title = _("Grant management")
    site_url = None
    # In its place each page has the navigation by task.
    enable_nav_sidebar = False

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """The view, in the language and the time zone that the operator chose, and with a friendly
        answer where nothing is: Django's own pages are, too.
        """
        # Not above: the package registers its pages at this very site.
        from grant_management.admin.kit.frame import in_frame
        from grant_management.admin.kit.language import in_operators_language

        return super().admin_view(in_operators_language(in_frame(view, self)), cacheable)

    def index(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """The overview, for users who may see it; else Django's list of models."""
        if request.user.has_perm("grant_management.view_dailycount"):
            return HttpResponseRedirect(reverse("admin:grant_management_dailycount_changelist"))
        return super().index(request, extra_context)

    def _build_app_dict(self, request: HttpRequest, label: Any = None) -> Any:
        """Django's, with names that are translated once: it then sorts the models by them, and each
        comparison would translate two. It is Django's own; where it has another name, a page only
        takes longer.
        """
        apps = super()._build_app_dict(request, label)
        for model in (model for app in apps.values() for model in app["models"]):
            model["name"] = str(model["name"])
        return apps
