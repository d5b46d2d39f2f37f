"""A reproducer begins with where the implementation comes from, however that was named."""

import pytest

from refconv.diagnosis.hunt.source import source_of
from refconv.reference import im2col

LOADED = "from refconv.implementations import load_implementation"


class Mine:
    def run(self):
        """Nothing."""


@pytest.mark.parametrize(
    ("named", "lines", "name"),
    [
        (im2col, ["import refconv.reference.im2col"], "refconv.reference.im2col"),
        (Mine, [f"from {__name__} import Mine"], "Mine"),
        (Mine(), [f"from {__name__} import Mine"], "Mine()"),
        ("torch", [LOADED, "", "layer = load_implementation('torch')"], "layer"),
        ("torch:float64", [LOADED, "", "layer = load_implementation('torch:float64')"], "layer"),
        ("mine.layers:conv2d", ["from mine.layers import conv2d"], "conv2d"),
        ("/some/where/mine.py:conv2d",
         ["import sys", "", "sys.path.insert(0, '/some/where')", "from mine import conv2d"], "conv2d"),
        ("/some/where/my-own.py:conv2d",
         [LOADED, "", "layer = load_implementation('/some/where/my-own.py:conv2d')"], "layer"),
        ("-- ./program --fast", ["from refconv.implementations import SessionRunner, open_session"],
         "SessionRunner(open_session('-- ./program --fast'))"),
    ],
)  # fmt: skip
def test_every_name_leads_to_the_implementation(named, lines, name):
    source = source_of(named)
    assert (list(source.lines), source.name) == (lines, name)
