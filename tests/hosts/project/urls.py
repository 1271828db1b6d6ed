from back_office import back_office
from django.urls import include, path

urlpatterns = [
    path("backoffice/", back_office.urls),
    path("oauth/grants/", include("grant_management.urls")),
]
