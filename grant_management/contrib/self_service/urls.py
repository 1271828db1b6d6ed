"""The URLs of the person's pages, which a host includes under any prefix."""

from django.urls import path, re_path

from . import views

app_name = "grant_management_self_service"

urlpatterns = [
    path("", views.AppsView.as_view(), name="apps"),
    path("<int:number>/", views.AppView.as_view(), name="app"),
    path("<int:number>/history/", views.HistoryView.as_view(), name="history"),
    path("<int:number>/remove/", views.RemoveView.as_view(), name="remove"),
    re_path(r"^logos/(?P<digest>[0-9a-f]{64})\Z", views.LogoView.as_view(), name="logo"),
]
