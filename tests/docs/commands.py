"""The reference of the commands, made of their parsers: `python -m tests.docs.commands` writes it."""

import django
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from ..standalone import ROOT

PAGE = ROOT / "docs" / "reference" / "commands.md"
HEAD = """# Commands

For whom: operators at a terminal.
At the end you know each command, its arguments and what they default to.

Run them as `python manage.py NAME` in a Django project, as `python3 run.py manage NAME` in a checkout, and as `gm-manage NAME` where
[operations](../how-to/operations.md) was followed. The bridges add commands of their own: [django-oauth-toolkit](../how-to/oauth-toolkit.md),
[allauth](../how-to/allauth.md). Each also takes the options of every command of Django's, such as `--settings` and
`--verbosity`. Exit code 0: it was done; 1: it was not, and one line says why; 2: the arguments are wrong. With `--json` the answer is one
JSON value.
"""
APPS = ("grant_management", "gm_project")


def everybodys():
    """The options that Django gives to each command."""
    actions = BaseCommand().create_parser("manage.py", "any")._actions
    return {option for action in actions for option in action.option_strings} | {"--json"}


def parsers():
    """(name, command, its own arguments) of each command of this project."""
    for name, app in sorted(get_commands().items()):
        if app in APPS and name != "migrate":
            command = load_command_class(app, name)
            actions = command.create_parser("manage.py", name)._actions
            own = [one for one in actions if not everybodys() & set(one.option_strings)]
            yield name, command, own


def spelt(action):
    """How an argument is typed."""
    if not action.option_strings:
        return f"`{action.metavar}`"
    value = "{" + ",".join(action.choices) + "}" if action.choices else action.metavar
    return f"`{' '.join([action.option_strings[0], *([value] if action.nargs != 0 else [])])}`"


def told(action):
    """What an argument is, and what it is where it is left out, as its help says it."""
    what, _, default = action.help.partition("default: ")
    if action.required:
        default = "needed"
    elif action.nargs != 0 and action.default not in (None, "") and not default:
        default = f"`{action.default}`"
    return what.removesuffix("; "), default


def section(name, command, actions):
    rows = [f"| {' | '.join([spelt(one), *told(one)])} |" for one in actions]
    table = "\n".join(["| argument | what | default |", "| --- | --- | --- |", *rows])
    return f"## {name}\n\n{command.help}\n\n{table}\n"


def page():
    """The text of the page."""
    return "\n".join([HEAD, *(section(*one) for one in parsers())])


if __name__ == "__main__":
    django.setup()
    PAGE.write_text(page())
