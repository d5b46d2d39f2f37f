"""Prose on a terminal: broken between words, where the terminal itself would break it anywhere."""

from __future__ import annotations

import textwrap

from rich.console import Console


def fitted(text: str, console: Console, indent: int = 0) -> str:
    """Break each line of a text to the width of a terminal, later lines indented; leave it alone elsewhere.

    Examples
    --------
    >>> print(fitted("label  one two six", Console(width=16, force_terminal=True), 7))
    label  one two
           six
    >>> fitted("label  one two six", Console(width=16, force_terminal=False))
    'label  one two six'
    """
    if not console.is_terminal or console.width <= 2 * indent:
        return text
    fill = textwrap.TextWrapper(
        console.width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip
    return "\n".join(fill.fill(line) for line in text.splitlines())
