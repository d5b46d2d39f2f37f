import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest.mock import Mock

import pytest
from foreign import CORE
from rich.console import Console

from refconv import cli
from refconv.catalogue.kills import frozen_kills
from refconv.diagnosis.defects import every_defect
from refconv.generate import run as running
from refconv.show import print_list
from refconv.suite import FLAGS, load_suite
from refconv.suite.embedded import smoke_folder

FLIPPED = """
import numpy as np
from refconv.reference import im2col

class Flipped:
    name = "flipped"
    def forward(self, x, weight, bias, problem):
        if x.dtype != np.float32:
            raise NotImplementedError("float32 only")
        return im2col.forward(x, weight[:, :, ::-1, ::-1], bias, problem)

class Nothing:
    def forward(self, x, weight, bias, problem):
        raise NotImplementedError
"""


@pytest.fixture
def refconv(monkeypatch, capfd):
    """Run a command line in this process; return its exit code and what it printed."""
    monkeypatch.setenv("COLUMNS", "300")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["refconv", *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capfd.readouterr()
        return stop.value.code, out, err

    return run


@pytest.fixture
def flipped(tmp_path):
    path = tmp_path / "layers.py"
    path.write_text(FLIPPED)
    return f"{path}:Flipped"


def test_quickstart_tells_the_whole_story(refconv, tmp_path):
    code, out, err = refconv("quickstart", "--out", tmp_path / "q")
    assert (code, err) == (0, "")
    for part in (
        "Golden vectors",
        "all bytes equal",
        "A right convolution",
        "dilation-of-height-for-both",
        "What next?",
    ):
        assert part in out
    vectors = tmp_path / "q" / "vectors"
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=vectors, check=False)
    assert done.returncode == 0
    assert refconv("verify", vectors)[0] == 0
    html = (tmp_path / "q" / "report.html").read_text()
    assert "dilation-of-height-for-both" in html
    code, _, err = refconv("quickstart", "--out", tmp_path / "q")
    assert code == 2
    assert "must be a new or empty folder: choose another one with --out, or say --force" in err
    assert refconv("quickstart", "--out", tmp_path / "q", "--force")[0] == 0


def test_the_mended_example_passes(refconv, tmp_path):
    refconv("quickstart", "--out", tmp_path / "q")
    example = tmp_path / "q" / "faulty_conv2d.py"
    mended = example.read_text().replace("j * dilation[0]  #", "j * dilation[1]  #")
    assert mended != example.read_text()
    example.write_text(mended)
    assert refconv("check", f"{example}:conv2d")[0] == 0


def test_check_passes_a_right_implementation(refconv):
    code, out, err = refconv("check", "sparse")
    assert (code, err) == (0, "")
    assert "0 fail" not in out
    assert out.splitlines()[-1].startswith("sparse on smoke")


def test_check_describes_a_wrong_one_and_writes_reports(refconv, flipped, tmp_path):
    reports = [tmp_path / f"report{suffix}" for suffix in (".json", ".xml", ".html", ".md")]
    code, out, _ = refconv("check", flipped, *(word for path in reports for word in ("--report", path)))
    assert code == 1
    for word in (
        "worked-example-float32-iota/x3x3-w2x2",
        "forward",
        "WorkedExample",
        "y[0, 0, 0, 0]",
        "expected 37",
        "got 23",
    ):
        assert word in out
    assert all(path.stat().st_size > 500 for path in reports)


def test_the_command_that_a_failure_prints_reproduces_it(refconv, flipped):
    _, out, _ = refconv("check", flipped)
    line = next(line for line in out.splitlines() if "reproduce" in line and "worked-example" in line)
    code, out, _ = refconv(*line.split("refconv ")[1].split())
    assert code == 1
    assert "1 of 3 operations executed in 1 case, 0 pass, 1 fail" in out


def test_an_empty_run_is_never_green(refconv, tmp_path, flipped):
    code, out, _ = refconv("check", flipped.replace("Flipped", "Nothing"))
    assert code == 3
    assert "executed 0 cases, fewer than --min-cases 1" in out
    assert refconv("check", "im2col", "--select", "worked-*", "--min-cases", 2)[0] == 3
    assert refconv("check", "im2col", "--select", "worked-*", "--min-cases", 1)[0] == 0


def test_diagnose_names_the_defect(refconv, flipped):
    code, out, _ = refconv("diagnose", flipped)
    assert code == 1
    assert "kernel-flipped" in out
    assert refconv("diagnose", "im2col")[0] == 0


def test_diagnose_looks_at_a_case_and_prints_for_machines(refconv, flipped):
    code, out, _ = refconv("diagnose", flipped, "--case", "worked-example-float32-iota/x3x3-w2x2", "--json")
    assert code == 1
    data = json.loads(out)
    assert data["defect"] == "kernel-flipped"
    assert "n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x2" in {item["problem"] for item in data["evidence"]}


def test_a_path_with_blanks_is_one_word_of_the_command_that_reproduces(refconv, tmp_path, flipped):
    folder = tmp_path / "my layers"
    folder.mkdir()
    (folder / "flipped.py").write_text(Path(flipped.partition(":")[0]).read_text("utf-8"), "utf-8")
    name = f"{folder}/flipped.py:{flipped.rpartition(':')[2]}"
    _, out, _ = refconv("check", name, "--select", "worked-*", "--write-xfails", folder / "known.toml")
    assert f"refconv check '{name}' --select worked-example" in out
    assert f"refconv check '{name}' --xfails THIS_FILE" in (folder / "known.toml").read_text("utf-8")
    _, out, _ = refconv("judge", smoke_folder(), folder)
    assert f"refconv judge {smoke_folder()} '{folder}' --select " in out


def test_an_element_that_is_not_there_is_refused_before_a_page_is_printed(refconv):
    code, out, err = refconv("show", "worked-example-float32-iota/x3x3-w2x2", "--at", "9,9,9,9")
    assert (code, out) == (2, "")
    assert "must lie within (1, 1, 2, 2), got (9, 9, 9, 9)" in err


def test_help_tells_every_command_in_a_whole_line(refconv):
    _, out, _ = refconv("--help")
    told = out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in told] == list(cli.WHERE)
    assert all(line.endswith(".") and not line.endswith(("n...", "t...")) and len(line) <= 80 for line in told)


def test_list_and_show(refconv):
    code, out, _ = refconv("list", "--select", "worked-*")
    assert code == 0
    assert "worked-example-float32-iota/x3x3-w2x2  n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x2" in out
    code, out, _ = refconv("show", "worked-example-float32-iota/x3x3-w2x2")
    assert code == 0
    assert "[[37. 47.]" in out
    assert "the kernel is flipped" in out


def test_list_counts_what_the_catalogue_has(refconv):
    core, axes = (load_suite(CORE.with_name(name)) for name in ("core", "axes"))
    code, out, _ = refconv("list", "--families")
    families = {name.rsplit("-", 1)[0] for name in (*core.group_names, *axes.group_names)}  # without the fill
    assert (code, out.splitlines()[-1].partition(" in ")[0]) == (0, f"{len(core) + len(axes)} cases")
    assert all(any(name.startswith(line.split()[0]) for name in families) for line in out.splitlines()[1:-1])
    code, out, _ = refconv("list", "--flags")
    assert (code, [line.split()[1] for line in out.splitlines()[1:]]) == (0, list(FLAGS))
    cases = [case for suite in (core, axes) for group in suite.groups() for case in group.cases]
    counted = Counter(flag for case in cases for flag in case.flags)
    assert [int(line.split()[2]) for line in out.splitlines()[1:]] == [counted[flag] for flag in FLAGS]


def test_list_counts_what_the_catalogue_covers_and_catches(refconv):
    core = len(load_suite(CORE))
    code, out, _ = refconv("list", "--coverage")
    assert code == 0
    assert next(line for line in out.splitlines() if line.startswith(f"core, {core} cases: ")).endswith("(100.00 %).")
    code, out, _ = refconv("list", "--kills")
    assert code == 0
    rows, frozen = out.splitlines()[1:-3], frozen_kills().all
    assert [(line.split()[0], int(line.split()[1])) for line in rows] == [
        (slug, len(ids)) for slug, ids in frozen.items()
    ]
    models = [len(frozen.get(slug, [])) for slug in every_defect()]
    caught, twice = sum(map(bool, models)), sum(count > 1 for count in models)
    counts = f"defect models: {len(models)} in all, {caught} caught by core, {twice} by two cases or more"
    assert out.splitlines()[-3].startswith(counts)


def test_show_draws_an_element_and_writes_the_drawing(refconv, tmp_path):
    name = "worked-example-float32-iota/x3x3-w2x2"
    code, out, _ = refconv("show", name, "--at", "0,0,0,1")
    assert code == 0
    assert "  x[0, 0]\n    1  [2] [3]\n    4  [5] [6]\n    7   8   9\n" in out
    assert "  y[0, 0]\n    37  *47*\n    67   77\n" in out
    assert refconv("show", name, "--op", "grad_input", "--svg", tmp_path / "case.svg")[0] == 0
    assert (tmp_path / "case.svg").read_text("utf-8").startswith("<svg ")


def test_generate_verify_and_recompute(refconv, tmp_path):
    code, out, _ = refconv("generate", "--select", "thin-*", "--out", tmp_path / "thin")
    assert code == 0
    assert "3 cases written" in out
    assert refconv("verify", tmp_path / "thin", "--recompute")[0] == 0
    payload = tmp_path / "thin" / "thin-float32-exact.safetensors"
    payload.write_bytes(payload.read_bytes()[:-1] + b"\xff")
    code, out, _ = refconv("verify", tmp_path / "thin")
    assert code == 1
    assert "thin-float32-exact.safetensors" in out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["check", "nothing"], 4, "an implementation must be a known engine"),
        (["check", "missing.py:f"], 4, "missing.py must be a Python file, but there is none"),
        (["check", "im2col", "--vectors", "nowhere"], 2, "nowhere: a suite must be a folder, and there is none"),
        (["check", "im2col", "--select", "nothing"], 2, "no case of suite 'smoke' matches nothing"),
        (["list", "--select", "guide"], 2, "matches guide: a pattern is about a whole id, did you mean '*guide*'?"),
        (["check", "im2col", "--ops", "sideways"], 2, "an operation must be one of forward"),
        (["check", "im2col", "--select", "worked-*", "--report", "report.pdf"], 2, ".json"),
        (["list", "--select", "nothing"], 2, "no case of suite 'smoke' matches nothing"),
        (["generate", "--select", "nothing", "--out", "x"], 2, "no case of tier 'core' matches nothing"),
        (["generate"], 2, "Missing option '--out'"),
        (["show", "nothing"], 2, "there is no case 'nothing'"),
        (["show", "worked-example-float32-iota/x3x3-w2x2", "--at", "0,x"], 2, "--at must be numbers"),
        (["show", "worked-example-float32-iota/x3x3-w2x2", "--svg", "nowhere/a.svg"], 2, "cannot be written"),
        (["check"], 2, "IMPL must be given, such as mine.py:conv2d"),
        (["protocol-test"], 2, "COMMAND must be given, such as -- ./program"),
        (["check", "node", "x.mjs"], 2, "a program stands behind two dashes: refconv check -- PROGRAM"),
        (["export", str(smoke_folder()), "--format", "raw"], 2, "--out must be given for the format 'raw'"),
        (["check", "im2col", "--class", "split:2:int8"], 2, "an accuracy class must be one of exact"),
        (["check", "im2col", "--class", "split:0:float32"], 2, "an accuracy class must be one of exact"),
        (["accumulate", "--family", "plain", "--count", "0"], 2, "0 is not in the range"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
    ],
)
def test_mistakes_end_in_one_sentence(refconv, tmp_path, monkeypatch, words, code, sentence):
    monkeypatch.chdir(tmp_path)
    got, _, err = refconv(*words)
    assert got == code
    assert sentence in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_python_m_refconv_is_refconv():
    done = subprocess.run([sys.executable, "-m", "refconv", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refconv, version ")


def test_output_that_nobody_reads_is_no_traceback():
    command = f"{sys.executable} -m refconv list | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert "Traceback" not in done.stderr


def test_known_failures_are_written_down_and_expected_from_then_on(refconv, flipped, tmp_path):
    known, report = tmp_path / "known.toml", tmp_path / "report.json"
    code, out, _ = refconv("check", flipped, "--write-xfails", known)
    assert code == 1
    assert "known.toml is written; " in out
    code, _, err = refconv("check", flipped, "--xfails", known)
    assert code == 2
    assert "known.toml, entry 1: issue must be a link" in err
    links = known.read_text("utf-8").replace(
        "FILL IN: a link to where this failure is tracked", "https://example.org/7"
    )
    known.write_text(links, "utf-8")
    code, out, _ = refconv("check", flipped, "--xfails", known, "--report", report)
    assert code == 0
    assert "xfail" in out
    assert '"status": "XFAIL"' in report.read_text("utf-8")
    code, out, _ = refconv("check", "im2col", "--xfails", known)
    assert code == 1
    assert "expects a failure: remove that entry" in out


def test_a_file_of_known_failures_is_not_replaced_unasked(refconv, flipped, tmp_path):
    known = tmp_path / "known.toml"
    known.write_text("mine")
    code, out, err = refconv("check", flipped, "--write-xfails", known)
    assert (code, out) == (2, "")
    assert "must not exist yet: choose another name with --write-xfails, or say --force" in err
    assert known.read_text() == "mine"
    assert refconv("check", flipped, "--write-xfails", known, "--force")[0] == 1
    assert known.read_text().startswith("# What is known to fail")


@pytest.mark.parametrize(("name", "words"), [("out.pdf", "must end in .json"), ("none/out.html", "must exist")])
def test_a_report_that_cannot_be_written_is_told_before_the_run(refconv, tmp_path, monkeypatch, name, words):
    monkeypatch.setattr("refconv.cli.judged.check", None)  # would raise a TypeError
    code, _, err = refconv("check", "im2col", "--report", tmp_path / name)
    assert code == 2
    assert words in err


def test_a_place_where_nothing_can_be_saved_is_told_before_the_hunt(refconv, tmp_path, monkeypatch):
    monkeypatch.setattr("refconv.cli.finding.hunt", None)
    code, _, err = refconv("hunt", "im2col", "--save", tmp_path / "none" / "case.json")
    assert code == 2
    assert "the folder of --save must exist" in err


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("module", ["click", "numpy"])
def test_ctrl_c_while_modules_are_imported_is_one_word(tmp_path, module):
    (tmp_path / f"{module}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    source = os.path.dirname(os.path.dirname(cli.__path__[0]))
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path[:0] = [{str(tmp_path)!r}, {source!r}]\nfrom refconv.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_an_interrupted_generate_says_what_is_kept_and_goes_on_from_there(refconv, tmp_path, monkeypatch):
    honest, names = running.keep, []

    def keep(folder, made):
        honest(folder, made)
        names.append(made.record.name)
        if len(names) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "keep", keep)
    chosen = [word for glob in ("worked-*", "thin-*/row", "batch-*/n0") for word in ("--select", glob)]
    words = ("generate", *chosen, "--out", tmp_path / "out")
    code, out, err = refconv(*words)
    (folder,) = tmp_path.iterdir()
    assert (code, out) == (130, "")
    assert err.split("\n", 2)[1:] == [
        "interrupted",
        f"finished groups, 2 of them, are kept in {folder}; give the same command again to go on from there, or remove "
        "that folder.\n",
    ]
    assert refconv(*words)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    monkeypatch.setattr(running, "keep", Mock(side_effect=KeyboardInterrupt))
    code, _, err = refconv(*words[:-1], tmp_path / "new")
    assert (code, err.split()) == (130, ["interrupted"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_list_on_a_terminal_keeps_each_name_in_one_piece():
    buffer = io.StringIO()
    print_list(
        load_suite(smoke_folder()), ("*",), Console(file=buffer, width=50, force_terminal=True, color_system=None)
    )
    names = [line for line in buffer.getvalue().splitlines()[:-1] if not line.startswith(" ")]
    assert names == load_suite(smoke_folder()).select(("*",))


@pytest.mark.parametrize("columns", ["80", ""])
def test_a_list_in_a_pipe_is_one_whole_line_for_each_case(refconv, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS")
    _, out, _ = refconv("list")
    ids = load_suite(smoke_folder()).select(("*",))
    assert [line.split()[0] for line in out.splitlines()[1:-1]] == ids
    assert "…" not in out


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(13, "Permission denied", "ro/q"),
            "'ro/q' must be a place that can be used so, got 'Permission",
        ),
        (
            OSError(28, "No space left on device"),
            "there must be room for files, also where TMPDIR points, got 'No space",
        ),
        (
            OSError(28, "No space left on device", "a"),
            "there must be room where 'a' belongs, got 'No space left on device';",
        ),
    ],
)
def test_an_error_of_the_system_is_a_sentence_with_a_remedy(refconv, monkeypatch, error, sentence):
    monkeypatch.setattr("refconv.cli.suites.load_suite", Mock(side_effect=error))
    code, _, err = refconv("list")
    assert code == 2
    assert sentence in err
    assert err.endswith("choose another place.\n")


def test_what_is_not_there_is_told_with_what_to_do(refconv, tmp_path):
    (tmp_path / "file").touch()
    assert "choose another one with --out" in refconv("quickstart", "--out", tmp_path / "file" / "q")[2]
    full = refconv("export", smoke_folder(), "--format", "raw", "--out", tmp_path)[2]
    assert "the place of an export must be empty or absent; choose another, or use --force" in full
    assert "refconv list prints the names" in refconv("show", "nosuch/case")[2]
    assert "is written to" in refconv("show", "worked-example-float32-iota/x3x3-w2x2", "--svg", tmp_path / "a.svg")[1]


def test_a_closed_output_is_no_traceback(tmp_path):
    for closed in (">&-", "2>&-"):
        words = f"{sys.executable} -m refconv check im2col --in-process --select 'worked-*' {closed}"
        done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
