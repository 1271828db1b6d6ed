"""The toolkit's well-known paths, for the root of a server whose toolkit is under a prefix.

RFC 8414 §3.1 puts them at the root. The toolkit has these views from 3.4 on; before, this is empty.

```python
urlpatterns = [
    path("o/", include("grant_management.contrib.oauth_toolkit.urls")),
    path("", include("grant_management.urls")),
    path("", include("grant_management.contrib.oauth_toolkit.metadata_urls")),
]
```
"""

from django.urls.resolvers import URLPattern
from oauth2_provider import urls as toolkit

from .urls import with_ours

urlpatterns: list[URLPattern] = with_ours(getattr(toolkit, "metadata_urlpatterns", []))
