"""Real clients over real exports, each also with one planted fault, which it must report."""

import json
import re

import pytest
from clients import EVERY_FORMAT, EXAMPLES, ROOT, STRICT, planted, run

import refconv
from refconv.export import Options, export

pytestmark = pytest.mark.client
CORE = ROOT / "vectors" / "core"
LAYOUTS = [("NCHW", "OIHW"), ("NHWC", "HWIO")]


@pytest.fixture(scope="module")
def suite():
    return refconv.load_suite(CORE)


@pytest.fixture(scope="module")
def header(suite, tmp_path_factory):
    """All of core in C, and how many operations that is."""
    folder = tmp_path_factory.mktemp("c") / "out"
    return folder, export(suite, folder, "c-header", options=Options(main=True)).operations


@pytest.fixture(scope="module")
def raw(suite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw") / "out"
    export(suite, folder, "raw", ["asymmetric-float32-*", "special-*-float32*", "grouped-float32-*", "choice-*"])
    return folder


@pytest.mark.toolchain("gcc")
def test_c99_judges_every_case_of_core_and_reports_a_planted_fault(header):
    folder, operations = header
    run(folder, "gcc", "-std=c99", "-O1", *STRICT, "-c", "main.c", "-o", "main.o")
    run(folder, "gcc", "-std=c99", "-O2", *STRICT, EVERY_FORMAT, "main.o", "-lm", "-o", "right")
    assert run(folder, "./right") == f"{operations} operations: {operations} passed, 0 failed, 0 unsupported\n"
    run(folder, "gcc", "-std=c99", "-O2", *STRICT, "-DPLANTED", EVERY_FORMAT, "main.o", "-lm", "-o", "wrong")
    said = run(folder, "./wrong", code=1)
    assert (
        "FAIL asymmetric-float32-exact/s21-d12-p1021 forward: 216 of 240 elements are wrong, first y[0, 0, 0, 1]"
        in said
    )
    assert re.search(r"(?m)^FAIL \S+ forward: .* \(from [0-9a-f]+ to [0-9a-f]+\), got", said)  # of lo and hi
    run(folder, "gcc", "-std=c99", "-O2", *STRICT, EXAMPLES / "conv2d.c", "main.o", "-o", "some")
    said = run(folder, "./some")
    total, passed, failed, unsupported = map(int, re.findall(r"\d+", said))
    assert (total, failed, passed + unsupported) == (operations, 0, operations)
    assert passed > 2 * operations // 3


@pytest.mark.toolchain("g++")
def test_cpp17_judges_every_case_of_core_and_reports_a_planted_fault(header):
    folder, operations = header
    run(folder, "g++", "-std=c++17", "-O1", *STRICT, "-x", "c++", "-c", "main.c", "-o", "main_cpp.o")
    for option, code in ((), 0), (("-DPLANTED",), 1):
        run(
            folder,
            "g++",
            "-std=c++17",
            "-O2",
            *STRICT,
            *option,
            "-x",
            "c++",
            EVERY_FORMAT,
            "-x",
            "none",
            "main_cpp.o",
            "-o",
            "cpp",
        )
        said = run(folder, "./cpp", code=code)
        assert (f"{operations} passed, 0 failed" in said) == (code == 0)


@pytest.mark.toolchain("gcc")
@pytest.mark.parametrize(("layout", "weight_layout"), LAYOUTS)
def test_the_layouts_are_those_that_are_stated(suite, tmp_path, layout, weight_layout):
    options = Options(layout=layout, weight_layout=weight_layout, main=True)
    select = ["asymmetric-float32-*", "grouped-*", "quantized-*", "depthwise-float32-exact"]
    operations = export(suite, tmp_path / "out", "c-header", select, options=options).operations
    assert f'#define REFCONV_LAYOUT "{layout}"' in (tmp_path / "out" / "all.h").read_text()
    for name, flags, code in ("right", [f"-D{layout}"], 0), ("wrong", [] if layout == "NHWC" else ["-DNHWC"], 1):
        run(tmp_path / "out", "gcc", "-std=c99", "-O2", *STRICT, *flags, EVERY_FORMAT, "main.c", "-lm", "-o", name)
        said = run(tmp_path / "out", f"./{name}", code=code)
        assert (f"{operations} passed, 0 failed" in said) == (code == 0)


@pytest.mark.toolchain("gcc")
def test_a_write_behind_the_result_and_a_refusal_are_reported(suite, tmp_path):
    export(suite, tmp_path / "out", "c-header", ["grouped-float32-exact"], ["grad_bias"], Options(main=True))
    program = """
#include "refconv_impl.h"
int refconv_grad_bias(const refconv_problem *p, const refconv_tensor *g, refconv_tensor *out, char *m, size_t n) {
  (void)p, (void)g, (void)m, (void)n;
  %s
}"""
    sentences = {
        "((float *)out->data)[p->out_channels] = 0; return REFCONV_OK;": "wrote before or behind the result",
        "((char *)out->data)[-1] = 0; return REFCONV_OK;": "wrote before or behind the result",
        "return REFCONV_REJECTED;": "refused a legal problem (status 2)",
        "return REFCONV_ERROR;": "broke down (status 3)",
        "return 17;": "broke down (status 17)",
        "return REFCONV_OK;": "got a5a5a5a5",
        "return REFCONV_UNSUPPORTED;": "0 passed, 0 failed",
    }
    for statement, sentence in sentences.items():
        (tmp_path / "out" / "mine.c").write_text(program % statement)
        run(tmp_path / "out", "gcc", "-std=c99", "-I.", "main.c", "mine.c", "-o", "run")
        assert sentence in run(tmp_path / "out", "./run", code=1), statement


@pytest.mark.toolchain("gcc")
def test_answers_of_a_board_are_judged_by_refconv(suite, tmp_path):
    select, options = "asymmetric-*", Options(main=True, prompt_only=True)
    export(suite, tmp_path / "out", "c-header", [select], options=options)
    for name, flags, code in ("right", [], 0), ("wrong", ["-DPLANTED"], 1):
        run(tmp_path / "out", "gcc", "-std=c99", "-O2", *STRICT, *flags, EVERY_FORMAT, "main.c", "-lm", "-o", name)
        (tmp_path / name).write_text(run(tmp_path / "out", f"./{name}"))
        judged = run(tmp_path, "refconv", "judge", CORE, name, "--stream", "--select", select, code=code)
        assert ("FAIL" in judged) == (code == 1)


@pytest.mark.toolchain("node")
def test_node_reads_the_vectors_as_they_are_and_reports_a_planted_fault(tmp_path):
    source = EXAMPLES / "read_vectors.mjs"
    said = run(tmp_path, "node", source, CORE)
    passed, unsupported = map(int, re.fullmatch(r"(\d+) passed, 0 failed, (\d+) unsupported\n", said).groups())
    assert passed > 2000
    assert unsupported < 2000
    fault = planted(source, tmp_path / "wrong.mjs", "ow * p.stride[1]", "ow * p.stride[0]")
    assert "FAIL asymmetric-float32-exact/s21-d12-p1021 y[1]" in run(tmp_path, "node", fault, CORE, code=1)


@pytest.mark.toolchain("node")
def test_the_one_json_file_tells_a_javascript_program_of_every_case(suite, tmp_path):
    count = export(suite, tmp_path / "out", "json").operations
    program = """
import { readFileSync } from "node:fs";
const { cases } = JSON.parse(readFileSync("out/vectors.json", "utf8"));
console.log(cases.reduce((sum, { results }) => sum + Object.keys(results).length, 0));
"""
    (tmp_path / "count.mjs").write_text(program)
    assert run(tmp_path, "node", "count.mjs") == f"{count}\n"


@pytest.mark.toolchain("rustc")
def test_rust_reads_the_raw_files_and_reports_a_planted_fault(raw, tmp_path):
    source = EXAMPLES / "raw_forward.rs"
    fault = planted(source, tmp_path / "wrong.rs", 'column * get("sW")', 'column * get("sH")')
    for program, name, code in (source, "right", 0), (fault, "wrong", 1):
        run(tmp_path, "rustc", "--edition", "2021", "-O", program, "-o", name)
        check_raw(run(tmp_path, f"./{name}", raw, code=code), code)


@pytest.mark.toolchain("go")
def test_go_reads_the_raw_files_and_reports_a_planted_fault(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("GOCACHE", str(tmp_path / "cache"))
    source = EXAMPLES / "raw_forward.go"
    fault = planted(source, tmp_path / "wrong.go", 'ow*n["sW"]', 'ow*n["sH"]')
    for program, code in (source, 0), (fault, 1):
        check_raw(run(tmp_path, "go", "run", program, raw, code=code), code)


@pytest.mark.toolchain("octave")
def test_octave_reads_the_raw_files_and_reports_a_planted_fault(raw, tmp_path):
    fault = planted(EXAMPLES / "raw_forward.m", tmp_path / "raw_forward.m", "weight(kw + 1,", "weight(n.kW - kw,")
    for folder, code in (EXAMPLES, 0), (fault.parent, 1):
        words = f"if raw_forward('{raw}'), exit(1), end"
        check_raw(run(folder, "octave", "--no-gui", "--eval", words, code=code), code)


def check_raw(said, code):
    passed, failed = map(int, re.search(r"(\d+) passed, (\d+) failed", said).groups())
    assert (failed > 0) == (code == 1)
    assert passed + failed > 40
    assert ("FAIL asymmetric-float32-exact/s21-d12-p1021" in said) == (code == 1)


@pytest.mark.toolchain("iverilog", "vvp")
def test_verilog_simulates_over_the_memory_files_and_reports_a_planted_fault(suite, tmp_path):
    export(suite, tmp_path / "out", "hex", ["asymmetric-int8-*", "grouped-int8-*"], ["forward"])
    source = EXAMPLES / "conv_tb.v"
    fault = planted(source, tmp_path / "wrong.v", "ow * SW", "ow * SH")
    prompts = json.loads((tmp_path / "out" / "index.json").read_text())["prompts"]
    assert len(prompts) >= 8
    for prompt in prompts:
        said = simulated(tmp_path / "out", source, prompt["parameters"])
        assert re.fullmatch(r"PASS \d+ elements\n", said), prompt["case"]
    assert "FAIL y[" in simulated(tmp_path / "out", fault, "asymmetric-int8-exact/s21-d12-p1021.forward.vh")


def simulated(folder, program, header):
    run(folder, "iverilog", "-Wall", f'-DVH="{header}"', "-o", "conv", program)
    return run(folder, "vvp", "conv")
