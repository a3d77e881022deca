"""Options that several questions share."""

from collections.abc import Callable
from typing import Any

import click


def format_option(meaning: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--format table|json`, given to the command as `form`; `meaning` says what the two are."""
    kinds = click.Choice(["table", "json"])
    return click.option("--format", "form", type=kinds, default="table", show_default=True, help=meaning)
