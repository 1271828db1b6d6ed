"""The members of requests and records as data: what each may hold, and what refuses the rest.

Every door reads with these: the API, the store, provisioning, the import, the admin's forms, the
commands and the bridge. What one of them takes, each other one takes as well.
"""
