"""The command that tells the whole story."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import click
from rich.markup import escape

from refconv.cli.options import FAILED, FORCE, GOOD
from refconv.cli.output import console, progress_bar
from refconv.quickstart import Story, quickstart
from refconv.report import print_report
from refconv.report.prose import fitted


@click.command("quickstart", short_help="See the whole story on a small suite, in seconds.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("quickstart"), metavar="DIR", show_default=True)
@FORCE
def quickstart_command(out: Path, force: bool) -> int:
    """Tell the whole story: generate, agree, judge a right and a wrong convolution, name the bug."""
    with progress_bar("cases, three references each") as progress:
        story = quickstart(out, force, progress)
    _print_story(story)
    return GOOD if story.told_well else FAILED


def _print_story(story: Story) -> None:
    out, command = console(), f"refconv check {story.example}:conv2d --vectors {story.vectors}"
    out.print(f"\n[bold]1. Golden vectors.[/] {story.cases} cases in {escape(str(story.vectors))}, each computed by "
              "the seven loops, the sparse matrix W* and im2col: all bytes equal.")  # fmt: skip
    out.print(f"   Verified: {'hashes, schema and lint are fine' if not story.findings else story.findings[0]}.")
    out.print(f"\n[bold]2. A right convolution.[/] {escape(story.right.summary())}")
    out.print(f"\n[bold]3. A wrong one.[/] {escape(str(story.example))} is a convolution with one mistake in it.")
    print_report(story.wrong, out, command=command, limit=2)
    out.print("\n[bold]4. Which bug is it?[/]")
    out.print(escape(fitted(indent(story.diagnosis.description, "   "), out, 3)))
    out.print(f"""
[bold]What next?[/]
   open {escape(str(story.html))} in a browser
   mend the line in {escape(str(story.example))}, then: {escape(command)}
   check your own: refconv check path/to/your_file.py:your_conv2d
   more vectors: refconv generate --tier core --out core
""")
