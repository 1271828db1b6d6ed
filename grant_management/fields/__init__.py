"""The members of requests and records as data: the values that each accepts, and its error text.

All entry points read with these: the API, the store, provisioning, the import, the admin's forms,
the commands and the bridge. So a value that one of them accepts is accepted by all.
"""
