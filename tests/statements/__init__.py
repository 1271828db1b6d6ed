"""All SQL that the app sends while the suite runs, and whether each statement names its service.

`pytest --db postgresql --statements FILE` collects, and `python -m tests.statements FILE` judges;
`--ties` does both, as `run.py test` does.
"""
