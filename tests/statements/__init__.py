"""All SQL that the app sends while the suite runs, and whether each statement names its service.

`pytest --db postgresql --statements FILE` collects, and `python -m tests.statements FILE` judges;
`--ties` does both: in `.ci/run` for some folders, before a release for the whole suite.
"""
