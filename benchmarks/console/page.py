"""A page of the console: its address and what is posted to it; and which pages no list has."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

ADMIN = "admin:grant_management_"
APP = "grant_management_self_service:"


@dataclass(frozen=True)
class Page:
    """`name`: of its URL; `of`: the attribute of the rows whose key is in the URL ("": none).

    Values of `query` and `posted` may name attributes of the rows in braces. `posted` None: it is a
    GET. `is_file`: its first block is read. `person`: the attribute with the subject of
    the person who asks for their own pages. `status`: what it answers.
    """

    name: str
    of: str = ""
    query: dict = field(default_factory=dict)
    posted: dict | None = None
    is_file: bool = False
    person: str = "subject"
    status: int = 200

    def url(self, rows):
        """Its address, for these rows."""
        from django.urls import reverse

        path = reverse(self.name, args=[getattr(rows, self.of)] if self.of else [])
        return f"{path}?{urlencode(_filled(self.query, rows))}" if self.query else path

    def ask(self, http, rows):
        """The answer to an HTTP client of Django's; of a file its beginning."""
        url, headers = self.url(rows), {"X-Person": f"{rows.service} {getattr(rows, self.person)}"}
        if self.posted is not None:
            answer = http.post(url, _filled(self.posted, rows), headers=headers)
        else:
            answer = http.get(url, headers=headers)
        if self.is_file and answer.streaming:
            next(iter(answer.streaming_content), b"")
        assert answer.status_code == self.status, (url, answer.status_code)
        return answer


def _filled(values, rows):
    return {name: str(value).format_map(vars(rows)) for name, value in values.items()}


def admin(name, of="", posted=None, **query):
    """A page of the admin."""
    return Page(ADMIN + name, of, query, posted)


def file(name, of="", **query):
    """A file of the admin."""
    return Page(ADMIN + name, of, query, is_file=True)


def listing(model, **query):
    """A list of the big service."""
    return admin(f"{model}_changelist", service="{service}", **query)


def search(text):
    """A search for anything."""
    return admin("grant_find", posted={"text": text})


def own(name, of="", person="subject", **query):
    """A page of the person whose grants these are."""
    return Page(APP + name, of, query, person=person)


LEFT_OUT = (
    "_columns",
    "_save_view",
    "_delete_view",
    "_sweep_pause",
    "_sweep_resume",
    # What Django's pages would do, which every model of ours refuses.
    "_add",
    "_delete",
    "dailycount_change",
    "dailycount_history",
    "operatorpreference_add",
    # A picture, by its digest: one row by its key.
    "logo",
    # Django's own, which read no row of ours.
    "autocomplete",
    "jsi18n",
    "view_on_site",
    "app_list",
    "login",
    "logout",
)
"""Ends of the names of URLs that are no page and no search: most of them only write."""


def unlisted(pages):
    """The names of the console's URLs that none of these pages has."""
    from django.urls import get_resolver

    listed = {page.name for page in pages}
    return {name for name in _names(get_resolver()) if not name.endswith(LEFT_OUT)} - listed


def _names(resolver, spaces=""):
    """The names of URLs of the admin, and of the person's pages."""
    for one in resolver.url_patterns:
        if hasattr(one, "url_patterns"):
            space = f"{one.namespace}:" if one.namespace else ""
            yield from _names(one, spaces + space)
        elif one.name and spaces.startswith(("admin:", APP)):
            yield spaces + one.name
