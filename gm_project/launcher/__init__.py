"""What `run.py` does. Needs the standard library alone, since it installs the rest."""
