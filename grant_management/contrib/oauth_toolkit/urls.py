"""The toolkit's URLs, with our authorization endpoint in front of its own."""

from django.urls import path
from oauth2_provider.urls import urlpatterns as toolkit

from .views import GrantAuthorizationView

app_name = "oauth2_provider"

urlpatterns = [
    path("authorize/", GrantAuthorizationView.as_view(), name="authorize"),
    *toolkit,
]
