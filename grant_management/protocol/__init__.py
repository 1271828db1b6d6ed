"""What the RFCs say, as functions over values: no Django, no clock, no database."""
