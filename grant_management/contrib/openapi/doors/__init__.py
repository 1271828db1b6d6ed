"""What the views do not declare of each door: its answers, its refusals, what a request needs."""
