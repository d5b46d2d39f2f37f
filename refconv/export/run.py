"""Exporting a suite: a new folder, written whole or not at all, and an account of what it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from refconv.errors import CatalogueError
from refconv.export.c_header import C_HEADER
from refconv.export.form import Form
from refconv.export.hex import HEX
from refconv.export.inline import JSON
from refconv.export.npz import NPZ
from refconv.export.onnx_tests import ONNX
from refconv.export.options import Options
from refconv.export.prompts import Prompt, prompts_of, selected_cases
from refconv.export.raw import RAW
from refconv.export.stream import STREAM
from refconv.implementations.layouts import Layouts
from refconv.problem import OPERATIONS, TransposedProblem
from refconv.suite import Suite, staged

FORMATS: dict[str, Form] = {
    "raw": RAW, "stream": STREAM, "hex": HEX, "c-header": C_HEADER, "npz": NPZ, "onnx": ONNX, "json": JSON,
}  # fmt: skip
MARKER = "EXPORT.txt"
ILLEGAL = "illegal problems, which have no result but must be refused"


@dataclass(frozen=True)
class Exported:
    """What came of an export.

    Attributes
    ----------
    operations : int
        How many there are to compute.
    left_out : dict of str to int
        How many are not there, by the reason.
    """

    operations: int
    left_out: dict[str, int]

    def sentences(self) -> Iterator[str]:
        """Yield the counts in words."""
        yield f"{self.operations} operations to compute"
        yield from (f"left out: {count} operations, {reason}" for reason, count in sorted(self.left_out.items()))


def export(
    suite: Suite, out: str | Path, form: str, select: Iterable[str] = ("*",), operations: Iterable[str] = OPERATIONS,
    options: Options | None = None, force: bool = False,
) -> Exported:  # fmt: skip
    """Write a suite in another format; equal suites give equal bytes.

    Parameters
    ----------
    suite : Suite
    out : path
        New or empty, unless `force` is given and it holds an earlier export.
    form : str
        One of :data:`FORMATS`.
    select : iterable of str
        Shell patterns over case ids.
    operations : iterable of str
    options : Options, optional
    force : bool

    Returns
    -------
    Exported

    Raises
    ------
    CatalogueError
        If the format or an operation is unknown, it does not take an option, or nothing is left to write.
    SuiteError
        If the suite is damaged, or `out` is in use.
    """
    options = options or Options()
    prompts = Selection(suite, form, select, operations, options)
    with staged(out, force, marker=MARKER, durable=False) as folder:
        FORMATS[form].write(folder, suite, prompts, options)
        exported = Exported(prompts.count, dict(prompts.left_out))
        if not exported.operations:
            raise CatalogueError(f"nothing is left for the format {form!r}; {'; '.join(exported.sentences())}.")
        (folder / MARKER).write_text(_account(suite, form, options, exported), "ascii", newline="\n")
    return exported


class Selection:
    """The prompts that a format can say, in the layouts that are asked for; the others are counted.

    Attributes
    ----------
    count : int
        How many have been yielded.
    left_out : Counter
        How many have not, by the reason.

    Raises
    ------
    CatalogueError
        If the format or an operation is unknown, it does not take an option, or no case matches.
    """

    def __init__(
        self, suite: Suite, form: str, select: Iterable[str] = ("*",), operations: Iterable[str] = OPERATIONS,
        options: Options | None = None,
    ) -> None:  # fmt: skip
        if form not in FORMATS:
            raise CatalogueError(f"an export format must be one of {', '.join(FORMATS)}, got {form!r}.")
        self.form, self.options, self.operations = FORMATS[form], options or Options(), tuple(operations)
        self.form.check(form, self.options)
        self.cases = selected_cases(suite, select, self.operations)
        self.count = 0
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Prompt]:
        for case in self.cases:
            if refused := set(case.refused) & set(self.operations):
                self.left_out[ILLEGAL] += len(refused)
            for prompt in prompts_of(case, self.operations):
                reason = self._not_said(prompt) or self._too_large(prompt) or self.form.leaves_out(prompt, self.options)
                if reason:
                    self.left_out[reason] += 1
                else:
                    self.count += 1
                    yield prompt.laid_out(self.options.layouts)

    def _not_said(self, prompt: Prompt) -> str:
        transposed = isinstance(prompt.case.problem, TransposedProblem)
        if transposed and self.options.layouts.weight != Layouts().weight:
            return "transposed convolutions, whose weights have no other layout"
        if self.form.any_layer or (len(prompt.case.problem.input_size) == 2 and not transposed):
            return ""
        others = ", ".join(name for name, form in FORMATS.items() if form.any_layer)
        what = "transposed convolutions" if transposed else "with another number of spatial axes than two"
        return f"{what}, which {others} can say"

    def _too_large(self, prompt: Prompt) -> str:
        limit = self.options.max_bytes
        return "" if limit is None or prompt.nbytes <= limit else f"whose tensors have more than {limit} bytes"


def _account(suite: Suite, form: str, options: Options, exported: Exported) -> str:
    lines = [f"refconv export of suite {suite.name} {suite.version}, format {form}, CC0-1.0", *exported.sentences()]
    layouts = f"images {options.layout}, weights {options.weight_layout}" if "layout" in FORMATS[form].takes else ""
    return "\n".join([*lines, *filter(None, [layouts]), "", FORMATS[form].holds]) + "\n"
