"""The whole story in a minute: generate, agree, judge a right and a wrong convolution, name the bug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from refconv.check import Report, check
from refconv.diagnosis import Diagnosis, diagnose, with_causes
from refconv.errors import SuiteError
from refconv.generate import generate
from refconv.implementations import load_implementation
from refconv.report import write_report
from refconv.suite import load_suite, verify_files

EXAMPLE = "faulty_conv2d.py"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Story:
    """What the quickstart did, step by step.

    Attributes
    ----------
    folder, vectors, example, html : Path
        The folder, the suite in it, the faulty convolution, and the report about it.
    cases : int
        How many cases were generated, each by all three references.
    findings : list of str
        What verification complains about; empty.
    right, wrong : Report
        Of a correct implementation, and of the faulty one.
    diagnosis : Diagnosis
        Of the faulty one.
    """

    folder: Path
    vectors: Path
    example: Path
    html: Path
    cases: int
    findings: list[str]
    right: Report
    wrong: Report
    diagnosis: Diagnosis

    @property
    def told_well(self) -> bool:
        """Whether everything came out as it must: the right one passes, the wrong one is found out."""
        found = self.wrong.failures and self.diagnosis.defect is not None
        return not self.findings and self.right.passed and bool(found)


def quickstart(out: Path, force: bool = False, progress: Progress | None = None) -> Story:
    """Tell the story into a folder: ``vectors/``, a faulty convolution, and ``report.html`` about it.

    Parameters
    ----------
    out : path
        Must not exist or be empty, unless ``force`` is given.
    force : bool
        Write over what an earlier quickstart left there.
    progress : callable, optional
        Called as ``progress(done, total)`` while the vectors are generated.

    Raises
    ------
    SuiteError
        If the folder is not free.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise SuiteError(f"{out} must be a new or empty folder: choose another one with --out, or say --force.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"{out} must be a folder that can be made, got {error.strerror!r}: choose another one with --out."
        raise SuiteError(told) from None
    vectors, example, html = out / "vectors", out / EXAMPLE, out / "report.html"
    cases = generate(vectors, "smoke", force=force, progress=progress)
    example.write_text(files("refconv").joinpath("example", EXAMPLE).read_text("utf-8"), "utf-8")
    suite = load_suite(vectors)
    faulty = load_implementation(f"{example}:conv2d")
    wrong, diagnosis = with_causes(check(faulty, suite), suite), diagnose(faulty)
    command = f"refconv check {example}:conv2d --vectors {vectors}"
    write_report(wrong, html, diagnosis=diagnosis, command=command)
    right = check(load_implementation("im2col"), suite)
    return Story(out, vectors, example, html, cases, verify_files(vectors), right, wrong, diagnosis)
