"""Which names may stand in a suite: slugs, and flat file names that cannot leave the folder."""

from __future__ import annotations

import re

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Windows opens a device for these, whatever follows a full stop, and forgets a full stop at the end.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*\.", re.IGNORECASE)


def is_slug(text: str) -> bool:
    """Tell whether a text is lowercase letters, digits, ``-``, ``.`` and ``_``, and begins with one of the first two.

    Slugs become names of files, so the names of Windows' devices are none.

    Examples
    --------
    >>> is_slug("g2-s21-p1.0"), is_slug(".hidden"), is_slug("Upper"), is_slug("nul")
    (True, False, False, False)
    """
    return _SLUG.fullmatch(text) is not None and _DEVICE.fullmatch(text) is None


def is_case_id(text: str, group: str) -> bool:
    """Tell whether a text is the group's name, ``/`` and a slug.

    Examples
    --------
    >>> is_case_id("strided/s21", "strided"), is_case_id("strided/", "strided"), is_case_id("other/s21", "strided")
    (True, False, False)
    """
    stem, _, slug = text.partition("/")
    return stem == group and is_slug(slug)


def is_file_name(text: str) -> bool:
    """Tell whether a text names a file directly inside the suite's folder, in every operating system.

    Examples
    --------
    >>> is_file_name("README.md"), is_file_name("../x"), is_file_name("/etc/passwd"), is_file_name("aux.json")
    (True, False, False, False)
    """
    return _FILE.fullmatch(text) is not None and _DEVICE.fullmatch(text) is None
