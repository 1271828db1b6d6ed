"""A command of the bridge to allauth in each file."""
