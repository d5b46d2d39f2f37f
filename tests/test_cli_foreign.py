"""The commands for what is not Python, as users type them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from foreign import CORE, EXAMPLES, HARNESS_ZOO, alive, compiled, library, needs_cc, needs_posix

from refconv import cli, load_suite
from refconv.suite.embedded import smoke_folder

HARNESS = EXAMPLES / "harness.py"


@pytest.fixture
def refconv(monkeypatch, capfd):
    """Run a command line in this process."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["refconv", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capfd.readouterr()
        return SimpleNamespace(returncode=stop.value.code, stdout=out, stderr=err)

    return run


def test_include_dir_holds_the_header(refconv):
    assert (Path(refconv("include-dir").stdout.strip()) / "refconv_impl.h").is_file()


def test_check_judges_a_command_and_prints_a_command_that_reproduces(refconv):
    words = ["--select", "worked-*", "--policy", "padding-is-absent", "--", sys.executable, HARNESS_ZOO, "nan", HARNESS]
    done = refconv("check", *words)
    assert done.returncode == 1
    assert "got nan" in done.stdout
    again = next(line for line in done.stdout.splitlines() if "reproduce" in line).split("refconv check ")[1]
    assert again.startswith("--policy padding-is-absent --select worked-example-float32-iota/x3x3-w2x2 -- ")
    assert again.endswith(f"nan {HARNESS}")


@needs_cc
@needs_posix
def test_check_judges_a_library(refconv, tmp_path):
    done = refconv("check", library(EXAMPLES / "conv2d.c", tmp_path / "libconv2d.so"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "78 pass" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["check", "--", "./no-such-harness"], 4, "must be a program that can be started"),
        (["check", "--"], 4, "a command must follow '--'"),
        (["protocol-test", "--"], 4, "a command must follow '--'"),
        (["protocol-test", "--", "./no-such-harness"], 4, "must be a program that can be started"),
        (["judge", smoke_folder()], 2, "RESULTS must be a folder with results"),
        (["judge", smoke_folder(), "nowhere"], 2, "results must be a folder, and there is none"),
        (["export", smoke_folder(), "--format", "raw"], 2, "--out must be given"),
    ],
)
def test_mistakes_end_in_one_sentence(refconv, words, code, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = refconv(*words)
    assert (done.returncode, sentence in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_protocol_test_passes_the_harness_of_the_documentation_and_fails_another(refconv):
    done = refconv("protocol-test", "--", sys.executable, HARNESS)
    assert (done.returncode, "The harness speaks the protocol." in done.stdout) == (0, True)
    done = refconv("protocol-test", "--", sys.executable, HARNESS_ZOO, "shape", HARNESS)
    assert done.returncode == 1
    assert "its y has shape (4,), not (1, 1, 2, 2)" in done.stdout


def test_results_that_are_missing_are_counted_and_never_green(refconv, tmp_path):
    (tmp_path / "results").mkdir()
    done = refconv("judge", smoke_folder(), tmp_path / "results", "--select", "worked-*")
    assert done.returncode == 1
    assert "missing: 3 of 3 results, which count as failed: worked-example" in done.stdout


def test_a_folder_that_supports_nothing_is_not_green(refconv, tmp_path):
    case = "worked-example-float32-iota/x3x3-w2x2"
    (tmp_path / "results.json").write_text(f'{{"results": {{"{case}": {{"forward": {{"status": "unsupported"}}}}}}}}')
    assert refconv("judge", smoke_folder(), tmp_path, "--select", case, "--ops", "forward").returncode == 3


def test_an_export_with_expected_values_is_no_result(refconv, tmp_path):
    assert refconv("export", smoke_folder(), "--format", "raw", "--out", tmp_path / "out").returncode == 0
    done = refconv("judge", smoke_folder(), tmp_path / "out")
    assert done.returncode == 1
    assert "missing: 86 of 86" in done.stdout


@needs_posix
@pytest.mark.skipif(shutil.which("od") is None or shutil.which("awk") is None, reason="needs od and awk")
@pytest.mark.parametrize("folder", [smoke_folder(), pytest.param(CORE, marks=pytest.mark.slow)])
def test_a_shell_without_python_computes_what_judge_passes(refconv, tmp_path, folder):
    """Forward passes and gradients in every format; a program that computes is not asked what must be refused."""
    prompt, results, told = tmp_path / "prompt", tmp_path / "results", tmp_path / "report.json"
    refconv("export", folder, "--format", "raw", "--prompt-only", "--out", prompt)
    subprocess.run(["sh", EXAMPLES / "judge_by_shell.sh", prompt, results], check=True)
    refconv("judge", folder, results, "--report", told)
    statuses = {}
    for outcome in json.loads(told.read_text())["outcomes"]:
        statuses.setdefault(outcome["status"], set()).add(outcome["id"])
    assert set(statuses) <= {"PASS", "UNSUPPORTED"}
    assert statuses.get("UNSUPPORTED", set()) == {
        case.id for case in load_suite(folder) if case.quantization is not None or case.result == "invalid"
    }


@needs_cc
def test_sixty_lines_of_c_read_the_stream_with_scanf(refconv, tmp_path):
    source = EXAMPLES / "stream_conv.c"
    assert len(source.read_text().splitlines()) <= 60
    program = compiled(source, tmp_path / "stream_conv")
    prompts = refconv("export", smoke_folder(), "--format", "stream").stdout
    answers = subprocess.run([program], input=prompts, capture_output=True, text=True, check=True).stdout
    (tmp_path / "answers.txt").write_text(answers)
    done = refconv("judge", smoke_folder(), "--stream", tmp_path / "answers.txt")
    assert done.returncode == 0, done.stdout
    assert "27 pass" in done.stdout.splitlines()[-1]
    (tmp_path / "answers.txt").write_text(answers[:1000])
    assert refconv("judge", smoke_folder(), "--stream", tmp_path / "answers.txt").returncode == 1


@pytest.mark.parametrize("way", ["stdin", "file"])
def test_a_stream_that_is_no_text_is_no_results_and_says_nothing_to_the_terminal(way, tmp_path):
    lines = b"\x90\xff \x1b[31m\nworked-example-float32-iota/x3x3-w2x2 forward ok 1 \xff\n"
    (tmp_path / "lines").write_bytes(lines)
    words = [sys.executable, "-m", "refconv", "judge", smoke_folder(), "--stream"]
    words += [tmp_path / "lines"] if way == "file" else []
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run(words, input=lines, capture_output=True, env=strict)
    assert done.returncode == 1
    assert "not understood: 1 line is no result: \ufffd\ufffd \\x1b[31m." in done.stdout.decode()
    assert b"Traceback" not in done.stderr


def heeded():
    """Undo what a shell does to programs in the background: they inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process_and_no_file(tmp_path, number):
    note = tmp_path / "child"
    words = [sys.executable, "-m", "refconv", "check", "--select", "worked-*", "--", sys.executable, str(HARNESS_ZOO),
             "hang-with-child", str(HARNESS), str(note)]  # fmt: skip
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, preexec_fn=heeded)
    until = time.monotonic() + 30
    while not (note.exists() and note.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    run.send_signal(number)
    _, err = run.communicate(timeout=30)
    child = int(note.read_text())
    while alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(child)
    assert run.returncode == 128 + number
    assert err.split() == ([b"interrupted"] if number == signal.SIGINT else [])
    assert [path.name for path in tmp_path.iterdir()] == ["child"]
