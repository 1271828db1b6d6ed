"""An admin site of the host's own, which has the app's pages beside the default one."""

from django.contrib import admin


class BackOffice(admin.AdminSite):
    site_header = "Back office"


admin.autodiscover()
back_office = BackOffice(name="back_office")
for _model, _admin in admin.site._registry.items():
    if _model._meta.app_label == "grant_management":
        back_office.register(_model, type(_admin))
