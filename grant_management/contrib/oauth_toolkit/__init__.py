"""Grant management for django-oauth-toolkit: one app, one include, one validator class.

```python
from grant_management.contrib.oauth_toolkit.defaults import OAUTH2_PROVIDER

INSTALLED_APPS += ["oauth2_provider", "grant_management", "grant_management.contrib.oauth_toolkit"]
urlpatterns += [path("o/", include("grant_management.contrib.oauth_toolkit.urls"))]
```
"""
