"""URLs of a host with an admin site of its own, which is Django's class, and the pages of this app.

`bare/` is a site without them.
"""

from django.contrib.admin import AdminSite, site
from django.urls import path

own, bare = AdminSite("own"), AdminSite("bare")
for _model, _page in site._registry.items():
    if _model._meta.app_label == "grant_management":
        own.register(_model, type(_page))

urlpatterns = [
    path("own/", own.urls),
    path("bare/", bare.urls),
    path("admin/", site.urls),
]
