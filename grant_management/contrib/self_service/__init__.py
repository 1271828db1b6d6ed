"""Pages for the people whose grants these are: the apps that have access, and how to end it.

A host adds the app `grant_management.contrib.self_service`, one include of its `urls`, and the
setting `SELF_SERVICE_SUBJECT`.
"""
