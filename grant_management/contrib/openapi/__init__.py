"""The OpenAPI 3.1 document of all doors, made by drf-spectacular from what the code declares.

Routes, methods, members and rights come from the views; codes and texts from `protocol.results`.
What the views do not declare, the shape of an answer and the refusals of an operation, is declared
in `operations`, where tests compare it with real answers.

It needs the extra `openapi`. Without it this package is not imported.
"""
