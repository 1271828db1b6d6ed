"""Every page and search of the console, by name: the benchmark and `tests/scale` both walk it.

A file is written completely before its first byte is sent, so those of a few rows are here. A file
of a million rows takes as long as its rows do, and the page shows that it is working.
"""

from .long_pages import LONG
from .page import Page, admin, file, listing, own, search

PERIODS = ("24h", "7d", "30d", "90d")

SHORT_LISTS = (
    "apitoken",
    "clientprofile",
    "description",
    "organization",
    "organizationmember",
    "service",
    "stream",
    "webhook",
)
"""The lists of few rows, each of which has a file."""

GRANTS = {
    "grants": listing("grant"),
    "grants, all services": admin("grant_changelist"),
    "grants: a subject": listing("grant", q="{subject}"),
    "grants: a subject, all services": admin("grant_changelist", q="{subject}"),
    "grants: a client": listing("grant", q="{client_id}"),
    "grants: a grant ID": listing("grant", q="{grant_id}"),
    "grants: nothing": listing("grant", q="nothing"),
    "grants: a client's, by its filter": listing("grant", client="{client_id}"),
    "grants: a client's, revoked": listing("grant", client="{client_id}", status="revoked"),
    **{
        f"grants: {status}": listing("grant", status=status)
        for status in ("active", "pending", "revoked", "cut_off", "expired")
    },
    "grants: active, all services": admin("grant_changelist", status="active"),
    "grants: an authorization type": listing("grant", authorization_type="payment_initiation"),
    "grants: a type that none has": listing("grant", authorization_type="nothing"),
    "grants: since a day": listing("grant", since="{since}"),
    "grants: until a day": listing("grant", until="{since}"),
    "grants: expiring within a week": listing("grant", expires_within=7, status="active"),
    "grants: expiring, a client's": listing("grant", expires_within=3650, client="{client_id}"),
    "grants: oldest first": listing("grant", sort="created"),
    "grants: oldest first, active": listing("grant", sort="created", status="active"),
    "grants: oldest first, a client's": listing("grant", sort="created", client="{client_id}"),
    **{f"grants: {one}": listing("grant", period=one) for one in PERIODS},
    "grants: 90d, active": listing("grant", period="90d", status="active"),
    "grants: the next page, in the middle": listing("grant", after="{after_grant}"),
    "grants: the previous page, in the middle": listing("grant", before="{after_grant}"),
    "grants: the next page, all services": admin("grant_changelist", after="{after_grant}"),
    "grants: the file of a subject's": file("grant_export_csv", q="{subject}"),
    "one grant": admin("grant_change", "grant"),
    "one grant: its content": file("grant_content", "grant"),
    "one grant: its history": admin("grant_history", "grant"),
    "one grant: what a revoke stops": admin("grant_revoke", "grant"),
}
PEOPLE = {
    "people": admin("grant_people"),
    "people of one service, by subject": admin("grant_people", service="{service}", sort="subject"),
    "one person": admin("grant_person", "grant"),
    "one person: older events": admin("grant_person", "grant", events="{after_event}"),
    "one person: what a revoke of all stops": admin(
        "grant_revoke_many", "grant", posted={"these": "all"}
    ),
    "a receipt of several grants": admin("grant_receipt", "job"),
    "a receipt of several grants: the file": file("grant_receipt_file", "job"),
}
SEARCHES = {
    "search": admin("grant_find"),
    "search: a subject": search("{subject}"),
    "search: a grant ID": search("{grant_id}"),
    "search: a client ID": search("{client_id}"),
    "search: a token": search("{token}"),
    "search: the start of a digest": search("{digest}"),
    "search: a ticket": search("T-1"),
    "search: an event": search("{event}"),
    "search: a job": search("{job}"),
    "search: a call": search("{call}"),
    "search: a code": search("A277001"),
    "search: nothing": search("nothing"),
}
CLIENTS = {
    "clients": listing("client"),
    "clients, all services": admin("client_changelist"),
    "clients: a part of a name": listing("client", q="ent-7"),
    "clients: by name": listing("client", sort="name"),
    "clients: by ID, falling": listing("client", sort="-client_id"),
    "clients: the file of one": file("client_export_csv", q="{client_id}"),
    "clients: suggestions": admin("client_suggest", posted={"q": "client-7"}, service="{service}"),
    **{f"one client, {one}": admin("client_change", "client", period=one) for one in PERIODS},
    "one client: its history": admin("client_history", "client"),
    "one client: to change it": admin("client_edit", "client"),
    "one client: what a lock stops": admin("client_lock", "client"),
    "one client: to unlock it": admin("client_unlock", "locked"),
    "one client: what a cut-off stops": admin("client_cut-off", "client"),
    "a new client": admin("client_create"),
    "profiles": admin("clientprofile_changelist"),
    "profiles: to describe a client": admin("clientprofile_describe"),
    "one profile": admin("clientprofile_change", "clientprofile"),
    "one profile: its history": admin("clientprofile_history", "clientprofile"),
    "one profile: to change it": admin("clientprofile_edit", "clientprofile"),
    "descriptions": admin("description_changelist"),
    "descriptions: to describe a scope": admin("description_describe"),
    "one description": admin("description_change", "description"),
    "one description: its history": admin("description_history", "description"),
    "one description: to change it": admin("description_edit", "description"),
    "one description: to remove it": admin("description_remove", "description"),
}
TOKENS = {
    f"{kind} tokens{rest}": page
    for kind in ("access", "refresh")
    for rest, page in {
        "": listing(f"{kind}token"),
        ", all services": admin(f"{kind}token_changelist"),
        ": of a grant": listing(f"{kind}token", q="{grant_id}"),
        ": oldest first": listing(f"{kind}token", sort="issued"),
        ": 24h": listing(f"{kind}token", period="24h"),
        ": 90d": listing(f"{kind}token", period="90d"),
        ": until a day": listing(f"{kind}token", until="{since}"),
        ": the next page, in the middle": listing(f"{kind}token", after="{after_token}"),
        ": the file of a grant's": file(f"{kind}token_export_csv", q="{grant_id}"),
        ": one": admin(f"{kind}token_change", f"{kind}token"),
        ": one, its history": admin(f"{kind}token_history", f"{kind}token"),
    }.items()
}
EVENTS = {
    "events": listing("grantevent"),
    "events, all services": admin("grantevent_changelist"),
    "events: each of a job": listing("grantevent", each="on"),
    "events: a client's": listing("grantevent", q="{client_id}"),
    "events: a subject's": listing("grantevent", q="{subject}"),
    "events: a grant's": listing("grantevent", q="{grant_id}"),
    "events: a ticket's": listing("grantevent", ticket="T-1"),
    "events: a ticket's, each, oldest first": listing(
        "grantevent", ticket="T-1", each="on", sort="at"
    ),
    "events: a job's": listing("grantevent", job="{job}"),
    "events: revoked": listing("grantevent", kind="revoked"),
    "events: merged": listing("grantevent", kind="merged"),
    "events: for a reason": listing("grantevent", reason="other"),
    "events: of operators": listing("grantevent", actor_kind="operator"),
    "events: since a day": listing("grantevent", since="{since}"),
    "events: until a day": listing("grantevent", until="{since}"),
    "events: oldest first": listing("grantevent", sort="at"),
    "events: the next page, in the middle": listing("grantevent", after="{after_event}"),
    "events: the file of a grant's": file("grantevent_export_csv", q="{grant_id}"),
    "events: the other file of a grant's": file("grantevent_export_jsonl", q="{grant_id}"),
    "a receipt": admin("grantevent_change", "event"),
    "a receipt: the file": file("grantevent_receipt", "event"),
    "a receipt: its details": file("grantevent_details", "event"),
    "a receipt: its history": admin("grantevent_history", "event"),
    "events of organizations": admin("organizationevent_changelist"),
    "events of organizations: of a kind": admin("organizationevent_changelist", kind="imported"),
    "events of organizations: of a kind that none has": admin(
        "organizationevent_changelist", kind="member_added"
    ),
    "events of organizations: of operators": admin(
        "organizationevent_changelist", actor_kind__exact="operator"
    ),
    "events of organizations: the next page, in the middle": admin(
        "organizationevent_changelist", after="{after_organizationevent}"
    ),
    "events of organizations: the file of a kind that none has": file(
        "organizationevent_export_csv", kind="member_added"
    ),
    "events of organizations: the other file": file(
        "organizationevent_export_jsonl", kind="member_added"
    ),
    "a receipt of an organization": admin("organizationevent_change", "organizationevent"),
    "a receipt of an organization: the file": file(
        "organizationevent_receipt", "organizationevent"
    ),
    "a receipt of an organization: its history": admin(
        "organizationevent_history", "organizationevent"
    ),
}
CALLS = {
    "calls": listing("call"),
    "calls, all services": admin("call_changelist"),
    "calls: a client's": listing("call", client="{client_id}"),
    "calls: of a code": listing("call", code="A284302"),
    "calls: refused": listing("call", outcome="refused"),
    **{f"calls: {one}": listing("call", period=one) for one in PERIODS},
    "calls: the file of a grant's": file("call_export_csv", q="{grant_id}"),
    "one call": admin("call_change", "call"),
    "one call: its history": admin("call_history", "call"),
    "result codes": admin("call_codes"),
}
OVERVIEW = {
    **{f"overview, {one}": listing("dailycount", period=one) for one in PERIODS},
    **{
        f"overview, all services, {one}": admin("dailycount_changelist", period=one)
        for one in PERIODS
    },
    **{
        f"overview, a client, {one}": listing("dailycount", client="{client_id}", period=one)
        for one in PERIODS
    },
    "overview: a code": listing("dailycount", code="A284302", period="90d"),
}
JOBS = {
    "jobs": listing("sweep"),
    "jobs, all services": admin("sweep_changelist"),
    "jobs: 90d": listing("sweep", period="90d"),
    "jobs: until a day": listing("sweep", until="{since}"),
    "jobs: the file": file("sweep_export_csv", service="{service}"),
    "one job": admin("sweep_change", "job"),
    "one job: its history": admin("sweep_history", "job"),
    "one job: its progress": admin("sweep_progress", "job"),
    "one job: its report": file("sweep_report.json", "job"),
    "one job: the file of its grants": file("sweep_report.csv", "long_job"),
    "revoke by filter": admin("sweep_start"),
    **{
        f"revoke by filter: {name}": admin(
            "sweep_check", posted={"service": "{service}", name: value}
        )
        for name, value in {
            "created_before": "{since}",
            "client": "{client_id}",
            "subject": "{subject}",
            "scope": "openid",
            "authorization_type": "payment_initiation",
        }.items()
    },
}
SETTINGS = {
    "first run": admin("organization_first_run"),
    "first run: whether the call arrived": admin("organization_arrived"),
    "organizations": admin("organization_changelist"),
    "one organization": admin("organization_change", "organization"),
    "one organization: its history": admin("organization_history", "organization"),
    "one organization: to change it": admin("organization_edit", "organization"),
    "a new organization": admin("organization_create"),
    "services": admin("service_changelist"),
    "one service": admin("service_change", "service"),
    "one service: its history": admin("service_history", "service"),
    "one service: its settings": admin("service_settings", "service"),
    "one service: what a call would answer": admin("service_what_if", "service"),
    "one service: what a cut-off stops": admin("service_cut-off", "service"),
    "a new service": admin("service_create"),
    "API tokens": admin("apitoken_changelist"),
    "one API token": admin("apitoken_change", "apitoken"),
    "one API token: its history": admin("apitoken_history", "apitoken"),
    "one API token: to rotate it": admin("apitoken_rotate", "apitoken"),
    "one API token: to revoke it": admin("apitoken_revoke", "apitoken"),
    "a new API token": admin("apitoken_issue"),
    "members": admin("organizationmember_changelist"),
    "one member": admin("organizationmember_change", "organizationmember"),
    "one member: the history": admin("organizationmember_history", "organizationmember"),
    "one operator: to change": admin("organizationmember_operator_edit", "another"),
    "a new operator": admin("organizationmember_operator_create"),
    "users": Page("admin:auth_user_changelist"),
    "one user": Page("admin:auth_user_change", "user"),
    "one user: the history": Page("admin:auth_user_history", "user"),
    "one user: the password": Page("admin:auth_user_password_change", "user"),
    "groups": Page("admin:auth_group_changelist"),
    "one group": Page("admin:auth_group_change", "group"),
    "one group: its history": Page("admin:auth_group_history", "group"),
    "nonces": listing("dpopnonce"),
    "nonces: 24h": listing("dpopnonce", period="24h"),
    "one nonce": admin("dpopnonce_change", "dpopnonce"),
    "one nonce: its history": admin("dpopnonce_history", "dpopnonce"),
    "one nonce: to expire it": admin("dpopnonce_expire", "dpopnonce"),
    "language and time zone": admin("operatorpreference_changelist"),
    "a time in UTC": admin("operatorpreference_utc", posted={"at": "2026-01-01 00:00"}),
    "the own password": Page("admin:password_change"),
    "the own password: changed": Page("admin:password_change_done"),
    "the first page": Page("admin:index", status=302),
}
RECEIVERS = {
    "webhooks": admin("webhook_changelist"),
    "one webhook": admin("webhook_change", "webhook"),
    "one webhook: its history": admin("webhook_history", "webhook"),
    "one webhook: to change it": admin("webhook_edit", "webhook"),
    "one webhook: to send events again": admin("webhook_replay", "webhook"),
    "one webhook: to rotate its key": admin("webhook_rotate", "webhook"),
    "one webhook: to test it": admin("webhook_test", "webhook"),
    "one webhook: to disable it": admin("webhook_disable", "webhook"),
    "one webhook: to enable it": admin("webhook_enable", "webhook_disabled"),
    "one webhook: to delete it": admin("webhook_remove", "webhook"),
    "a new webhook": admin("webhook_register"),
    **{f"the file of each {name}": file(f"{name}_export_csv") for name in SHORT_LISTS},
    "deliveries": admin("webhookdelivery_changelist"),
    "deliveries: of a webhook": admin("webhookdelivery_changelist", webhook__id__exact="{webhook}"),
    "deliveries: the file of a webhook's": file(
        "webhookdelivery_export_csv", webhook__id__exact="{webhook_disabled}"
    ),
    "deliveries: the next page, in the middle": admin(
        "webhookdelivery_changelist", after="{after_webhookdelivery}"
    ),
    "one delivery": admin("webhookdelivery_change", "webhookdelivery"),
    "one delivery: its history": admin("webhookdelivery_history", "webhookdelivery"),
    "one delivery: to send it again": admin("webhookdelivery_replay", "webhookdelivery"),
    "streams": admin("stream_changelist"),
    "one stream": admin("stream_change", "stream"),
    "one stream: its history": admin("stream_history", "stream"),
    "one stream: to pause it": admin("stream_pause", "stream"),
    "one stream: to enable it": admin("stream_enable", "stream_paused"),
    "one stream: to disable it": admin("stream_disable", "stream"),
}
OWN = {
    "the person: connected apps": own("apps"),
    "the person: apps that had access": own("apps", ended=""),
    "the person: one app": own("app", "client"),
    "the person: one app's history": own("history", "client"),
    "the person: to remove an app's access": own("remove", "client"),
}
KINDS = {
    "Grants": GRANTS,
    "People, and receipts of several grants": PEOPLE,
    "Search": SEARCHES,
    "Clients, their profiles, descriptions": CLIENTS,
    "Tokens": TOKENS,
    "Events and receipts": EVENTS,
    "Calls": CALLS,
    "Overview, with its charts": OVERVIEW,
    "Revoke by filter, and jobs": JOBS,
    "Webhooks, deliveries, streams": RECEIVERS,
    "Organizations, services, operators, first run": SETTINGS,
    "The person's own pages": OWN,
    "What is long": LONG,
}
"""The pages by kind, as the document shows them."""
PAGES = {name: page for pages in KINDS.values() for name, page in pages.items()}
