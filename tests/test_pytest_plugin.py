"""What a project sees that has refconv installed: its own runs, and those of refconv.conformance."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.sparse  # noqa: F401  # with all of NumPy, which cannot be loaded twice, and pytester's runs forget modules

pytest_plugins = ["pytester"]

TOY = Path(__file__).parent / "toy_project"
INSTALLED = [point.value for point in importlib.metadata.entry_points(group="pytest11") if point.name == "refconv"]
CONFORMANCE = ["--pyargs", "refconv.conformance"]
RIGHT = [*CONFORMANCE, "--refconv-impl", "mypkg:conv2d"]
BROKEN = [*CONFORMANCE, "--refconv-impl", "mypkg:broken"]
EXACT = ["--refconv-select", "worked-example-*", "--refconv-select", "leftover-float32-exact"]

installed = pytest.mark.skipif(not INSTALLED, reason="the plugin is found by its entry point")


@pytest.fixture
def project(pytester, monkeypatch):
    """Run pytest in an empty folder that finds mypkg; where it matters, in a process of its own."""
    monkeypatch.syspath_prepend(TOY)
    monkeypatch.setenv("PYTHONPATH", str(TOY), prepend=":")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    loaded = [] if INSTALLED else ["-p", "refconv.pytest_plugin"]

    def run(*words, process=False):
        start = pytester.runpytest_subprocess if process else pytester.runpytest_inprocess
        return start(*loaded, "-p", "no:cacheprovider", *map(str, words))

    return run


def test_a_right_convolution_passes_and_what_it_lacks_is_skipped(project):
    done = project(*RIGHT, "-rs")
    done.assert_outcomes(passed=22, skipped=64)
    done.stdout.fnmatch_lines(["22 of 86 operations executed in 42 cases.", "SKIPPED*takes no argument groups."])
    assert done.ret == 0


def test_a_broken_convolution_fails_in_words_and_without_a_traceback(project):
    done = project(*BROKEN, "--refconv-select", "worked-example-*")
    assert done.ret == 1
    done.stdout.fnmatch_lines([
        "*test_conv2d?worked-example-float32-iota/x3x3-w2x2-forward*",
        "FAIL  worked-example-float32-iota/x3x3-w2x2  forward",
        "  first wrong * y?0, 0, 0, 0?: expected 37, got 23",
        "  reproduce  *refconv check mypkg:broken --select worked-example-float32-iota/x3x3-w2x2",
        "kernel-flipped (1 failure, one problem only): The kernel is flipped along all axes. *Usually means: *",
        "More on them: refconv diagnose mypkg:broken",
    ])  # fmt: skip
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*conformance.py:*: Failed*")


def test_a_program_is_named_as_a_shell_wants_it_and_what_is_transposed_is_not_sent_to_a_diagnosis(project):
    support, axes = Path(__file__).parent / "support", Path(__file__).parents[1] / "vectors" / "axes"
    program = f"-- {sys.executable} {support / 'harness_transposed.py'} flip"
    done = project(*CONFORMANCE, "--refconv-impl", program, "--refconv-vectors", axes, "--refconv-ops", "forward",
                   "--refconv-select", "conv-transpose2d-float32-exact/s*")  # fmt: skip
    done.stdout.fnmatch_lines([
        f"  reproduce *refconv check --vectors {axes} --select conv-transpose2d-float32-exact/s* {program}",
        "transposed-kernel-flipped (* failures): *Usually means: *",
    ])  # fmt: skip
    done.stdout.no_fnmatch_line("More on them: *")


def test_workers_tell_together_which_bug_it_is(project):
    done = project(*BROKEN, *EXACT, "-n", "2", process=True)
    done.stdout.fnmatch_lines(["kernel-flipped (* failures): The kernel is flipped along all axes. Usually means: *"])


def test_the_ids_are_case_ids_with_their_operations_in_the_order_of_the_suite(project):
    done = project(*RIGHT, *EXACT, "--collect-only", "-q", "--refconv-min-cases", "99")
    ids = [line.partition("[")[2].rstrip("]") for line in done.outlines if "test_conv2d[" in line]
    first, second = "leftover-float32-exact/columns", "worked-example-float32-iota/x3x3-w2x2"
    assert ids == [
        *(f"{first}-{operation}" for operation in ["forward", "grad_input", "grad_weight", "grad_bias"]),
        *(f"{second}-{operation}" for operation in ["forward", "grad_input", "grad_weight"]),
    ]
    assert done.ret == 0


@pytest.mark.parametrize("processes", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_too_few_executed_cases_are_a_failure(project, processes):
    if processes:
        pytest.importorskip("xdist")
    few = ["--refconv-min-cases", "3"]
    done = project(*RIGHT, *EXACT, *processes, *few, process=bool(processes))
    assert done.ret == 1
    done.stdout.fnmatch_lines(["failed: executed 2 cases, fewer than --refconv-min-cases 3."])


def test_enough_executed_cases_are_none(project):
    assert project(*RIGHT, *EXACT, "--refconv-min-cases", "2").ret == 0


def test_a_run_in_which_all_is_unsupported_is_not_green(project):
    done = project(*RIGHT, "--refconv-select", "asymmetric-int8-*/s21-*")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["0 of * operations executed in 1 case.", "failed: executed 0 cases, fewer than *1."])


def test_a_minimum_that_was_asked_for_holds_though_nothing_is_collected(project, pytester):
    pytester.makepyfile("def test_nothing(): pass")
    assert project("--refconv-min-cases", "1").ret == 1
    assert project().ret == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "ERROR: --refconv-impl must name what is to be checked, such as"),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-min-cases", "few"], "--refconv-min-cases must be a number of"),
        (["--refconv-impl", "mypkg:nothing"], "mypkg must define nothing, but it has no such name."),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-select", "zzz"], "no case of suite 'smoke' matches zzz."),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-ops", "backward"], "an operation must be one of forward"),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-policy", "none"], "a policy must be one of"),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-vectors", "void"], "a suite must be a folder"),
        (["--refconv-impl", "mypkg:conv2d", "--refconv-xfails", "void"], "void must be a file of expected failures"),
    ],
)
def test_a_users_mistake_is_one_sentence(project, words, sentence):
    done = project(*CONFORMANCE, *words)
    told = [line for line in [*done.outlines, *done.errlines] if sentence in line]
    assert len(told) == 1
    assert done.ret in (2, 4)
    assert not any("Traceback" in line for line in [*done.outlines, *done.errlines])


def test_a_path_behind_a_blank_moves_rootdir_and_the_message_says_so(project, pytester, monkeypatch):
    pytester.makefile(".toml", known=KNOWN)
    pytester.mkdir("deep")
    pytester.makefile(".ini", **{"deep/pytest": "[pytest]\nrefconv_impl = mypkg:broken\n"})
    monkeypatch.chdir(pytester.path / "deep")
    done = project(*CONFORMANCE, *EXACT, "--refconv-xfails", "../known.toml")
    assert done.ret == 4
    (told,) = [line for line in [*done.outlines, *done.errlines] if "--refconv-impl must name" in line]
    assert f"rootdir is {pytester.path}. A path behind a blank" in told
    done = project(*CONFORMANCE, *EXACT, "--refconv-xfails=../known.toml")
    assert not [line for line in [*done.outlines, *done.errlines] if "--refconv-impl must name" in line]


def test_the_configuration_says_what_the_command_line_does_not(project, pytester):
    pytester.mkdir("deep")
    pytester.makefile(".toml", **{"deep/known": KNOWN})
    pytester.makefile(".ini", **{"deep/pytest": """
        [pytest]
        refconv_impl = mypkg:broken
        refconv_select = leftover-float32-* worked-example-*
        refconv_ops = forward
        refconv_xfails = known.toml
        refconv_min_cases = 2
        """})  # fmt: skip
    done = project(*CONFORMANCE, "-c", "deep/pytest.ini")
    done.assert_outcomes(xfailed=2)
    assert done.ret == 0
    assert project(*CONFORMANCE, "-c", "deep/pytest.ini", "--refconv-select", "worked-*").ret == 1


KNOWN = """
[[xfail]]
match = "*"
operations = ["forward"]
reason = "the kernel is flipped"
issue = "https://example.org/7"
"""


def test_expected_failures_are_xfailed_with_their_reason(project, pytester):
    known = pytester.makefile(".toml", known=KNOWN)
    done = project(*BROKEN, *EXACT, "--refconv-xfails", known, "-rx")
    assert done.ret == 0
    done.assert_outcomes(xfailed=2, skipped=5)
    done.stdout.fnmatch_lines(["XFAIL*expected, the kernel is flipped (https://example.org/7): 4 of 4 elements *"])
    done = project(*BROKEN, *EXACT, "--refconv-xfails", known, "--runxfail")
    done.assert_outcomes(failed=2, skipped=5)


def test_an_expected_failure_that_passes_is_a_failure_and_an_idle_entry_a_warning(project, pytester):
    idle = KNOWN.replace('"*"', '"nowhere-*"')
    known = pytester.makefile(".toml", known=KNOWN + idle)
    done = project(*RIGHT, *EXACT, "--refconv-xfails", known)
    assert done.ret == 1
    done.stdout.fnmatch_lines([
        "XPASS  leftover-float32-exact/columns  forward",
        "  message * the result is right, but *known.toml, entry 1 expects a failure: remove that entry *",
        "warning: this entry matches nothing that was executed: *entry 2 (nowhere-?).",
    ])  # fmt: skip


def test_the_verdict_is_that_of_check_whatever_the_filters_of_warnings(project, pytester):
    pytester.makepyfile(noisy="""
        import warnings
        from mypkg import conv2d as quiet
        def conv2d(x, weight, bias=None, stride=(1, 1), padding=(0, 0)):
            warnings.warn("old")
            return quiet(x, weight, bias, stride, padding)
        """)  # fmt: skip
    done = project(*CONFORMANCE, "--refconv-impl", "noisy.py:conv2d", "--refconv-select", "worked-example-*")
    done.assert_outcomes(passed=1, skipped=2)


@pytest.mark.parametrize("state", ["cached", "same"])
def test_state_and_layout_are_looked_at_as_in_check(project, pytester, state):
    pytester.makepyfile(stateful="""
        import numpy as np
        from refconv import conv2d, conv2d_backward
        last = {}
        def cached(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
            last["x"] = x.copy()
            return conv2d(x, weight, bias, stride, padding, dilation, groups)
        def cached_backward(grad_output, x, weight, stride=1, padding=0, dilation=1, groups=1):
            grads = conv2d_backward(grad_output, last.get("x", x), weight, stride, padding, dilation, groups)
            return grads.input, grads.weight, grads.bias
        buffers = {}
        def same(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
            y = conv2d(x, weight, bias, stride, padding, dilation, groups)
            buffer = buffers.setdefault((y.shape, y.dtype), y)
            buffer[...] = y
            return buffer
        """)  # fmt: skip
    words = ["--refconv-impl", f"stateful.py:{state}", "--refconv-select", "leftover-float32-*", "-rf"]
    done = project(*CONFORMANCE, *words)
    operation = {"cached": "grad_weight", "same": "forward"}[state]
    done.assert_outcomes(failed=1, passed=3 if state == "cached" else 0, skipped=0 if state == "cached" else 3)
    done.stdout.fnmatch_lines([f"FAIL  leftover-float32-exact/columns  {operation}"])


def test_a_test_of_ones_own_gets_every_selected_case(project, pytester):
    pytester.makepyfile("""
        import numpy as np
        def test_own(refconv_case, refconv_implementation):
            y = refconv_implementation.run("forward", refconv_case.inputs, refconv_case.problem)
            np.testing.assert_array_equal(y, refconv_case.expected["y"].tensor)
        def test_both(refconv_case, refconv_outcome):
            assert refconv_outcome.case_id == refconv_case.id
        """)  # fmt: skip
    done = project("--refconv-impl", "mypkg:conv2d", *EXACT, "-v")
    done.assert_outcomes(passed=2 + 7)
    done.stdout.fnmatch_lines(["*::test_own?leftover-float32-exact/columns? PASSED*"])


def test_cases_need_no_implementation_and_an_implementation_needs_its_name(project, pytester):
    pytester.makepyfile("""
        def test_case(refconv_case): pass
        def test_implementation(refconv_implementation): pass
        """)
    done = project(*EXACT)
    done.assert_outcomes(passed=2, errors=1)
    done.stdout.fnmatch_lines(["--refconv-impl must name what is to be checked*"])


@pytest.mark.parametrize("words", [["-k", "grad_weight"], ["-m", "refconv", "-k", "grad_weight"]])
def test_tests_are_selected_by_name_and_marker(project, words):
    project(*RIGHT, *EXACT, *words, "--strict-markers").assert_outcomes(passed=2, deselected=5)


def test_an_ordinary_run_imports_no_numpy(project, pytester):
    pytester.makepyfile("""
        import sys
        def test_ordinary():
            assert "refconv.pytest_plugin" in sys.modules
            assert not {"numpy", "refconv.api", "refconv.check", "refconv.problem"} & set(sys.modules)
        """)
    project(process=True).assert_outcomes(passed=1)


@installed
def test_the_plugin_can_be_turned_off(project, pytester):
    pytester.makepyfile("""
        import sys
        def test_off(): assert "refconv" not in sys.modules
        """)
    project("-p", "no:refconv", process=True).assert_outcomes(passed=1)
    assert project("-p", "no:refconv", "--refconv-impl", "mypkg:conv2d", process=True).ret == 4


@installed
def test_the_entry_point_names_the_plugin():
    assert INSTALLED == ["refconv.pytest_plugin"]
    words = [sys.executable, "-m", "pytest", "--help"]
    assert "--refconv-impl=IMPL" in subprocess.run(words, check=True, capture_output=True, text=True).stdout
