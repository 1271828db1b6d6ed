"""The rules of the RFCs, as functions over values: without Django, clock or database."""
