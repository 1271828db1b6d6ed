# The same commands that continuous integration runs (.ci/run). They install what they need.
.PHONY: help test check chaos scale bench matrix messages package ci

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

test:  ## the tests, on SQLite and PostgreSQL
	python3 run.py test

check:  ## lint, format, types, layers, migrations
	python3 run.py check

chaos:  ## faults on purpose, the short form
	python3 run.py chaos --short

scale: check  ## a million grants
	.venv/bin/python -m pytest tests/scale --db postgresql --grants 1000000

bench:  ## what the endpoint costs
	python3 run.py bench endpoint

matrix: check  ## each Python and Django that this machine has, on each database
	PATH="$(CURDIR)/.venv/bin:$$PATH" nox -s tests

messages: check  ## the texts of the pages, for translators, and compiled (needs gettext)
	PYTHONPATH=. DJANGO_SETTINGS_MODULE=tests.translating .venv/bin/django-admin makemessages --all --no-location --no-wrap -i .venv -i .nox -i tests -i examples -i docs -i build
	cd grant_management && ../.venv/bin/django-admin compilemessages

package: check  ## the sdist, the wheel, the SBOM and the licences, in dist/
	PATH="$(CURDIR)/.venv/bin:$$PATH" nox -s package inventory

ci:  ## all that continuous integration runs
	.ci/run
