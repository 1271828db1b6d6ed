"""allauth's own URLs before the bridge's: its views are reached, and no check may miss that."""

from django.urls import include, path
from urls import urlpatterns as example

urlpatterns = [path("", include("allauth.idp.urls")), *example]
