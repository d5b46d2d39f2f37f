import sys

import pytest
from foreign import EXAMPLES

from refconv import ImplementationError
from refconv.implementations.protocol_test import protocol_test

HARNESS = (EXAMPLES / "harness.py").read_text()


def complaints(tmp_path, old="", new=""):
    """Break the harness of the documentation in one place, and return what is said about it."""
    assert old in HARNESS
    path = tmp_path / "broken.py"
    path.write_text(HARNESS.replace(old, new, 1) if old else HARNESS)
    return {step.promise: step.wrong for step in protocol_test([sys.executable, str(path)], 5.0) if step.wrong}


def test_a_harness_that_keeps_all_promises_hears_no_complaint(tmp_path):
    assert complaints(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "promise", "wrong"),
    [
        ('result = compute(message)', 'assert "a-later-version" not in message; result = compute(message)',
         "it ignores fields that it does not know", "AssertionError"),
        ('"forward", "grad_input", "grad_weight")', '"forward", "grad_input", "grad_weight", "sideways")',
         "it says unsupported to an operation that it does not know", "TypeError"),
        ('output["dtype"], "shape"', '"float64", "shape"',
         "it computes forward of the worked example, or says unsupported", "its output of float64, shape ("),
        ('"shape": output["shape"], "base64"', '"shape": [len(values)], "base64"',
         "it computes forward of the worked example, or says unsupported", "its y has shape (4,), not (1, 1, 2, 2)"),
        ("result[at_y] += x[at_x]", "result[at_y] -= x[at_x]",
         "it computes forward of the worked example, or says unsupported", "its y[0, 0, 0, 0] is -37.0, not 37.0"),
        ('{"seq": question["seq"], **', '{"seq": question["seq"] % 2**32, **', "it echoes a large seq",
         "answered with seq"),
        ('    if message["operation"] not in', '    return None\n    if message["operation"] not in',
         "it offers something",
         "it returns nothing for forward, grad_input, grad_weight, grad_bias in float32, float64 and int8"),
        ('{"status": "ok" if message["type"] == "stop"', '{"status": "rejected" if message["type"] == "stop"',
         "it answers stop with status ok, ends with code 0 and writes nothing more", "it answers with status rejected"),
        ('    for line in sys.stdin:\n', '    for line in sys.stdin:\n        assert \'"stop"\' not in line\n',
         "it answers stop with status ok, ends with code 0 and writes nothing more", "AssertionError"),
        ('            break\n', '            input()\n',
         "it answers stop with status ok, ends with code 0 and writes nothing more", "still runs"),
        ('            break\n', '            print("bye")\n            break\n',
         "it answers stop with status ok, ends with code 0 and writes nothing more", "it writes more"),
        ('            break\n', '            sys.exit(7)\n',
         "it answers stop with status ok, ends with code 0 and writes nothing more", "it ends with code 7"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_named(tmp_path, monkeypatch, old, new, promise, wrong):
    monkeypatch.setattr("refconv.implementations.protocol_test.ENOUGH", 0.3)
    assert wrong in complaints(tmp_path, old, new)[promise]


def test_a_harness_that_greets_wrongly_does_not_start(tmp_path):
    with pytest.raises(ImplementationError, match="not with ok and protocol 1"):
        complaints(tmp_path, '"protocol": 1', '"protocol": 2')


def test_a_harness_that_does_not_start_again_is_given_up(tmp_path):
    path = tmp_path / "broken.py"
    dies = 'def compute(message):\n    open(__file__ + ".dead", "w")\n    sys.exit("no memory")\n'
    starts = 'def main():\n    import os\n    os.path.exists(__file__ + ".dead") and sys.exit("no licence")\n'
    path.write_text(HARNESS.replace("def compute(message):\n", dies).replace("def main():\n", starts))
    found = []
    with pytest.raises(ImplementationError, match="no licence"):
        found.extend(protocol_test([sys.executable, str(path)], 5.0))
    assert [step.wrong for step in found[2:]] == ["it was given up after 3 starts that failed"] * 12


def test_a_transport_that_nobody_knows_does_not_start(tmp_path):
    with pytest.raises(ImplementationError, match=r"it asked for the transport 'pigeon', which is none of \w+"):
        complaints(tmp_path, '"protocol": 1', '"protocol": 1, "transport": "pigeon"')
