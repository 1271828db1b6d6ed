"""The pages that show what is long (see `long`)."""

from .page import admin, file, listing, own, search

_PERSON = "long"
LONG = {
    f"long: {name}": page
    for name, page in {
        "the list of grants": listing("grant", client="{long}"),
        "the grant": admin("grant_change", "long_grant"),
        "the grant's content": file("grant_content", "long_grant"),
        "what a revoke of the grant stops": admin("grant_revoke", "long_grant"),
        "the export of the client's grants": file(
            "grant_export_csv", service="{service}", client="{long}"
        ),
        "the person": admin("grant_person", "long_grant"),
        "what a revoke of all grants stops": admin(
            "grant_revoke_many", "long_grant", posted={"these": "all"}
        ),
        "the search for the person": search("{long}"),
        "the list of clients": listing("client", q="Budget"),
        "the client": admin("client_change", "long_client"),
        "what a lock of the client stops": admin("client_lock", "long_client"),
        "what a cut-off of the client stops": admin("client_cut-off", "long_client"),
        "the list of its tokens": listing("accesstoken", q="{long}"),
        "the list of calls": listing("call", q="{long}"),
        "the call": admin("call_change", "long_call"),
        "the list of events": listing("grantevent", q="{long}"),
        "the receipt": admin("grantevent_change", "long_event"),
        "the receipt's file": file("grantevent_receipt", "long_event"),
        "the receipt's details": file("grantevent_details", "long_event"),
        "the job": admin("sweep_change", "long_job"),
        "revoke by filter": admin(
            "sweep_check", posted={"service": "{service}", "client": "{long}"}
        ),
        "the list of descriptions": admin("description_changelist"),
        "connected apps": own("apps", person=_PERSON),
        "one app": own("app", "long_client", person=_PERSON),
        "one app's history": own("history", "long_client", person=_PERSON),
        "to remove an app's access": own("remove", "long_client", person=_PERSON),
    }.items()
}
