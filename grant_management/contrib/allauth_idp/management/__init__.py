"""The commands of the bridge to allauth."""
