"""Shared libraries: an honest one, and one for each way to misbehave."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from foreign import CORE, EXAMPLES, LIBRARY_ZOO, library, needs_cc, needs_posix

import refconv
from refconv import ConvProblem, ImplementationError
from refconv.implementations import LibraryRunner, load_implementation
from refconv.implementations.abi import include_dir
from refconv.problem import TransposedProblem
from refconv.suite.embedded import smoke_folder

pytestmark = [needs_cc, needs_posix]

UNWRITTEN = f"""
#include "refconv_impl.h"
int32_t refconv_abi_version(void) {{ return VERSION; }}
int refconv_grad_bias(const refconv_problem *p, const refconv_tensor *g, refconv_tensor *out, char *m, size_t n) {{
  (void)p, (void)g, (void)m, (void)n;
  for (int i = 0; i < BYTES; i++) ((unsigned char *)out->data)[i] = {0xA5};
  return REFCONV_OK;
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture(scope="module")
def honest(folder):
    return library(EXAMPLES / "conv2d.c", folder / "libconv2d.so")


@pytest.fixture
def zoo(folder):
    def build(number):
        path = folder / f"libzoo{number}.so"
        conv2d = f'-DCONV2D="{EXAMPLES / "conv2d.c"}"'
        return path if path.exists() else library(LIBRARY_ZOO, path, f"-DZOO={number}", conv2d, "-w")

    return build


def gradient(tmp_path, version=1, written=4):
    source = tmp_path / "grad_bias.c"
    source.write_text(UNWRITTEN)
    return library(source, tmp_path / "libgrad.so", f"-DVERSION={version}", f"-DBYTES={written}")


def test_the_example_has_at_most_sixty_lines():
    assert len([line for line in (EXAMPLES / "conv2d.c").read_text().splitlines() if line.strip()]) <= 60


@pytest.mark.parametrize("protect", [False, True])
def test_a_library_passes_the_embedded_suite(honest, protect):
    runner = load_implementation(str(honest))
    runner.protect = protect
    report = refconv.check(runner, refconv.load_suite(smoke_folder()))
    assert report.passed
    assert report.implementation == "libconv2d"
    passed = {outcome.operation for outcome in report.outcomes if outcome.status == "PASS"}
    assert passed == set(refconv.problem.OPERATIONS)


@pytest.mark.slow
def test_a_library_passes_all_of_core(honest):
    report = refconv.check(load_implementation(str(honest)), refconv.load_suite(CORE), thorough=False)
    assert report.passed
    counts = report.count()
    assert counts["PASS"] > 2500
    assert counts["PASS"] + counts["UNSUPPORTED"] == len(report.outcomes)
    supported = {"float64", "float32", "int8", "uint8"}
    unsupported = [o for o in report.outcomes if o.status == "UNSUPPORTED" and o.element in supported
                   and not o.case_id.startswith(("illegal-", "mismatched-"))]  # fmt: skip
    assert all("quantized" in o.message for o in unsupported)


@pytest.mark.parametrize(
    ("number", "status", "sentence"),
    [
        (1, "FAIL", "wrote 8 bytes past the end of y"),
        (2, "FAIL", "wrote 12 bytes before the beginning of y"),
        (3, "FAIL", "changed its input weight"),
        (9, "ERROR", "returned the status 17, which is none of 0, 1, 2 and 3"),
        (11, "ERROR", "broke down: no"),
        (12, "REJECTED", "refused a legal problem: no"),
        (13, "FAIL", "got nan"),
        (14, "FAIL", "with other values of"),
        (15, "FAIL", "wrote 3 bytes past the end of message"),
    ],
)
def test_a_misdeed_is_named_and_the_other_cases_pass(zoo, number, status, sentence):
    suite = refconv.load_suite(smoke_folder())
    report = refconv.check(load_implementation(str(zoo(number))), suite, operations=["forward"])
    wrong = report.failures
    assert {outcome.status for outcome in wrong} == {status}
    assert all(sentence in outcome.message for outcome in wrong), [outcome.message for outcome in wrong]
    assert {ConvProblem.from_descriptor(outcome.descriptor).kernel_size for outcome in wrong} == {(2, 2)}
    assert report.count()["PASS"] > 5


def test_elements_that_were_never_written_are_counted_and_the_first_is_named(tmp_path):
    runner = LibraryRunner(gradient(tmp_path, written=8))
    problem = ConvProblem(batch=1, in_channels=1, out_channels=5, input_size=(3, 3), kernel_size=(2, 2))
    with pytest.raises(Exception, match=r"left 3 of 5 elements of grad_bias unwritten, first grad_bias\[2\]"):
        runner.run("grad_bias", {"grad_output": np.ones(problem.y_shape, np.float32)}, problem)


def test_a_result_that_happens_to_be_the_poison_is_a_result(tmp_path):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(3, 3), kernel_size=(2, 2))
    tensors = {"grad_output": np.ones(problem.y_shape, np.float32)}
    result = LibraryRunner(gradient(tmp_path, written=8)).run("grad_bias", tensors, problem)
    assert result.tobytes() == b"\xa5" * 8


@pytest.mark.parametrize(
    ("number", "protect", "signal"), [(3, True, -11), (10, True, -11), (5, False, -11), (6, False, -6)]
)
def test_what_protected_memory_catches_ends_the_process_at_once(zoo, number, protect, signal):
    program = f"""
import refconv
from refconv.implementations import load_implementation
from refconv.suite.embedded import smoke_folder
runner = load_implementation({str(zoo(number))!r})
runner.protect = {protect}
refconv.check(runner, refconv.load_suite(smoke_folder()), select=["worked-*"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == signal, done.stderr.decode()[-500:]


def test_a_cached_pointer_is_the_same_pointer_again(honest):
    runner = LibraryRunner(honest)
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    tensors = {"x": np.ones((1, 1, 3, 3)), "weight": np.ones((1, 1, 2, 2))}
    runner.run("forward", tensors, problem)
    before = {key[0]: block.address for key, block in runner._blocks.items()}
    runner.run("forward", {**tensors, "weight": -tensors["weight"]}, problem)
    assert {key[0]: block.address for key, block in runner._blocks.items()} == before


def test_what_is_no_such_library_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ImplementationError, match=r"must be a shared library, but there is no such file"):
        load_implementation(str(tmp_path / "libnone.so"))
    (tmp_path / "libtext.so").write_text("text")
    with pytest.raises(ImplementationError, match="must be a shared library that can be loaded"):
        load_implementation(str(tmp_path / "libtext.so"))
    empty = tmp_path / "empty.c"
    empty.write_text("int nothing;")
    with pytest.raises(ImplementationError, match="must export refconv_abi_version"):
        load_implementation(str(library(empty, tmp_path / "libempty.so")))
    empty.write_text("int refconv_abi_version(void) { return 1; }")
    with pytest.raises(ImplementationError, match="must export refconv_forward or one of its siblings"):
        load_implementation(str(library(empty, tmp_path / "libversion.so")))
    with pytest.raises(ImplementationError, match="must have ABI version 1, got 2"):
        load_implementation(str(gradient(tmp_path, version=2)))


def test_what_the_abi_cannot_say_is_unsupported(honest, tmp_path):
    problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 2), kernel_size=(2, 2))
    with pytest.raises(NotImplementedError, match=r"the C ABI has no transposed convolutions\."):
        load_implementation(str(honest)).run("forward", {}, problem)
    with pytest.raises(NotImplementedError, match="exports no refconv_forward"):
        load_implementation(str(gradient(tmp_path))).run("forward", {}, problem.adjoint)


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_the_header_is_clean_in_cxx17(tmp_path):
    source = tmp_path / "main.cpp"
    source.write_text('#include "refconv_impl.h"\nint main() { return 0; }\n')
    strict = ["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{include_dir()}"]
    subprocess.run(["c++", *strict, str(source)], check=True)


@pytest.mark.parametrize(("answer", "name"), [('"my layer"', "my layer"), ("0", "libnamed")])
def test_a_library_may_say_its_name(tmp_path, answer, name):
    source = tmp_path / "named.c"
    source.write_text(UNWRITTEN + f"const char *refconv_name(void) {{ return {answer}; }}\n")
    path = library(source, tmp_path / "libnamed.so", "-DVERSION=1", "-DBYTES=4")
    assert LibraryRunner(path).name == name
