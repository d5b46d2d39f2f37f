"""The commands for suites: generate, verify, list, show, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from refconv.catalogue import TIERS
from refconv.cli.options import DASK, FAILED, FORCE, GOOD, JOBS, OPS, SELECT, VECTORS, Paths, layouts
from refconv.cli.output import cluster, console, progress_bar
from refconv.cli.overview import VIEWS
from refconv.errors import CatalogueError
from refconv.export import FORMATS, WORD_BITS, Exported, Options, Selection, export, stream_lines
from refconv.generate import generate
from refconv.generate import recompute as compute_again
from refconv.implementations.devices import DEVICES
from refconv.report.drawn import DRAWN, drawing, index_of, panels_of, print_drawing
from refconv.report.write import write_text
from refconv.show import print_case, print_list
from refconv.suite import load_suite, verify_files
from refconv.suite.embedded import smoke_folder


@click.command("generate", short_help="Make a suite, all references agreeing on every bit.")
@click.option("--tier", type=click.Choice(list(TIERS)), default="core", show_default=True)
@SELECT
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR")
@JOBS
@DASK
@click.option("--oracle", type=click.Choice(["torch"]), default=None, help="An outside oracle that must agree too.")
@click.option("--recipe", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Write the hashes of the extended tier there, instead of checking them.")  # fmt: skip
@click.option("--device", type=click.Choice(DEVICES), default="cpu", show_default=True, help="Where im2col computes.")
@FORCE
def generate_command(
    tier: str, select: Paths, out: Path, jobs: int, dask: str | None, oracle: str | None, recipe: Path | None,
    device: str, force: bool,
) -> int:  # fmt: skip
    """Make a suite; nothing is written unless all references agree on every bit.

    A run that is stopped goes on where it was when the same command is given again.
    """
    patterns = tuple(map(str, select))
    with progress_bar("cases") as progress, cluster(dask) as executor:
        count = generate(out, tier, patterns, jobs, oracle, force, executor, progress, recipe, device)
    opinion = f"; {oracle} agrees on all that no policy leaves open" if oracle else ""
    written = f"{count} cases written to {escape(str(out))}"
    console().print(f"{written}; direct, sparse and im2col agree on every element{opinion}.")
    return GOOD


@click.command("verify", short_help="Verify a suite: hashes, schema, on demand every value.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--recompute", is_flag=True, help="Compute every golden value again, by all references.")
@click.option("--oracle", type=click.Choice(["torch"]), default=None, help="With --recompute: ask it too.")
@JOBS
@DASK
def verify_command(folder: Path, recompute: bool, oracle: str | None, jobs: int, dask: str | None) -> int:
    """Verify a suite: hashes, schema and lint; on demand every value."""
    findings = verify_files(folder)
    if recompute and not findings:
        with progress_bar("cases") as progress, cluster(dask) as executor:
            findings = compute_again(folder, jobs, oracle, progress, executor)
    for finding in findings:
        console().print(f"[red]wrong:[/] {escape(finding)}")
    if not findings:
        suite = load_suite(folder)
        done = "every value was computed again and is the same" if recompute else "hashes, schema and lint are fine"
        console().print(f"{suite.name} {suite.version}: {len(suite)} cases, {done}.")
    return FAILED if findings else GOOD


@click.command("list", short_help="List the cases of a suite.")
@VECTORS
@SELECT
@click.option(
    "--families", "view", flag_value="families", help="The families of core and axes instead, and what each is for."
)
@click.option("--flags", "view", flag_value="flags", help="The flags instead, and what their cases catch.")
@click.option("--coverage", "view", flag_value="coverage", help="The factors instead, and which pairs occur.")
@click.option("--kills", "view", flag_value="kills", help="The faulty convolutions instead, and what catches them.")
def list_command(vectors: Path | None, select: Paths, view: str | None) -> int:
    """List the cases of a suite, or what the catalogue covers and catches."""
    if view:
        VIEWS[view](console())
        return GOOD
    print_list(load_suite(vectors or smoke_folder()), tuple(map(str, select)), console())
    return GOOD


@click.command("show", short_help="Show one case, explained and drawn.")
@click.argument("case")
@VECTORS
@click.option(
    "--op", "operation", type=click.Choice(DRAWN), default="forward", show_default=True, help="What is drawn."
)
@click.option("--at", default=None, metavar="INDEX", help="The element of the result that is drawn, such as 0,0,1,2.")
@click.option("--svg", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Write the drawing there, instead of printing the case.")  # fmt: skip
def show_command(case: str, vectors: Path | None, operation: str, at: str | None, svg: Path | None) -> int:
    """Show one case: what it is, what it hunts, its geometry and its numbers, and what one result is made of."""
    found, index = load_suite(vectors or smoke_folder()).case(case), index_of(at)
    if svg:
        write_text(svg, drawing(found, operation, index))
        console().print(f"The drawing is written to {escape(str(svg))}.")
        return GOOD
    if at is not None:  # refuse before a page is printed
        panels_of(found, operation, index)
    print_case(found, console())
    print_drawing(found, operation, index, console(), asked=at is not None)
    return GOOD


@click.command("export", short_help="Write a suite as plain files, C headers, ONNX, ...")
@click.argument("suite", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="DIR",
              help="New or empty; a stream goes to standard output by default.")  # fmt: skip
@SELECT
@OPS
@layouts
@click.option("--prompt-only", is_flag=True, help="Leave out what is expected.")
@click.option("--max-bytes", type=click.IntRange(min=1), default=None, metavar="N",
              help="Leave out operations whose tensors have more bytes.")  # fmt: skip
@click.option("--word-bits", type=click.Choice(list(map(str, WORD_BITS))), default=None, help="hex: width of a word.")
@click.option("--lanes", type=click.IntRange(1, 1024), default=None, metavar="N", help="hex: elements in a word.")
@click.option("--main", is_flag=True, help="c-header: add a program that runs your functions over all of it.")
@FORCE
def export_command(
    suite: Path, form: str, out: Path | None, select: tuple[str, ...], ops: str, force: bool, word_bits: str | None,
    **stated: Any,
) -> int:  # fmt: skip
    """Write a suite in another format."""
    vectors, operations = load_suite(suite), tuple(ops.split(","))
    options = Options(word_bits=int(word_bits) if word_bits else None, **stated)
    if out is None and form == "stream":
        prompts = Selection(vectors, form, select, operations, options)
        for line in stream_lines(prompts):
            click.echo(line)
        for sentence in Exported(prompts.count, dict(prompts.left_out)).sentences():
            click.echo(f"{sentence}.", err=True)  # standard output belongs to the lines
        return GOOD
    if out is None:
        raise CatalogueError(f"--out must be given for the format {form!r}.")
    exported = export(vectors, out, form, select, operations, options, force)
    first, *rest = exported.sentences()
    for sentence in (f"{first}, written to {out}", *rest):
        console().print(escape(f"{sentence}."))
    return GOOD
