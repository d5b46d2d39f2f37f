"""Pages of the documentation that are made from the code and from files of the repository; a hook of mkdocs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import refconv
from refconv.catalogue import TIERS
from refconv.suite import FLAGS

ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Add the pages, as mkdocs asks for it."""
    pages = {"api.md": api(), "catalogue.md": catalogue(), "contributing.md": top("CONTRIBUTING.md"),
             "changelog.md": top("CHANGELOG.md")}  # fmt: skip
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_config(config: Any) -> Any:
    """Put pages that nobody named in the navigation to those that tell how to use refconv."""
    named = set(re.findall(r"[\w/-]+\.md", str(config.nav)))
    pages = [path.relative_to(config.docs_dir).as_posix() for path in sorted(Path(config.docs_dir).rglob("*.md"))]
    (use,) = (part["Use"] for part in config.nav if isinstance(part, dict) and "Use" in part)
    use += [page for page in pages if page not in named]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Give repeated headings the numbers of mkdocs; the files have those of repositories, ``#c-1`` for ``#c_1``."""
    return re.sub(r"\]\(#([a-z]+)-(\d+)\)", r"](#\1_\2)", markdown)


def api() -> str:
    """Refer to everything that ``import refconv`` offers, by where it is defined."""
    found = [getattr(refconv, name) for name in sorted(refconv.api.__all__)]
    errors = [item for item in found if isinstance(item, type) and issubclass(item, Exception)]
    lines = ["# Python API", "", "Everything that `import refconv` offers.", ""]
    lines += [f"::: {item.__module__}.{item.__qualname__}\n" for item in found if item not in errors]
    lines += ["## Errors", "", "All are a `RefconvError`; each says the rule, the numbers and the argument.", ""]
    lines += [f"* `refconv.{item.__name__}`: {(item.__doc__ or '').partition(chr(10))[0]}" for item in errors]
    return "\n".join(lines) + "\n"


def catalogue() -> str:
    """List the families and the flags of the committed suites, from the suites themselves."""
    suites = [refconv.load_suite(ROOT / "vectors" / tier) for tier in ("core", "axes")]
    cases = [case for suite in suites for case in suite]
    families: Counter[str] = Counter()
    formats: dict[str, set[str]] = {}
    for case in cases:
        element = next(iter(case.inputs.values())).dtype.name
        family = case.id.partition("/")[0].partition(f"-{element}-")[0]
        families[family] += 1
        formats.setdefault(family, set()).add(element)
    flags = Counter(flag for case in cases for flag in case.flags)
    rows = [f"| `{name}` | {count} | {', '.join(sorted(formats[name]))} |" for name, count in sorted(families.items())]
    kinds: dict[str, list[str]] = {}
    for name, flag in FLAGS.items():
        effect = flag.effect.removeprefix("A failure usually means that ")
        row = f"| `{name}` | {flags[name]} | {cell(flag.description)} | {cell(effect)} |"
        kinds.setdefault(flag.bug_type, []).append(row)
    head = "| flag | cases | what the case has | a failure usually means that |\n|---|--:|---|---|\n"
    tables = [
        f"### {kind.replace('_', ' ').capitalize()}\n\n{head}" + "\n".join(sorted(rows)) for kind, rows in kinds.items()
    ]
    return f"""# Catalogue

{len(cases)} cases of `core` and `axes` {suites[0].version}, in {len(families)} families; the other tiers are {tiers()}.
The rows of the [kill matrix](kills.md) say which faulty convolutions they catch.

## Families

| family | cases | formats of x |
|---|--:|---|
{chr(10).join(rows)}

## Flags

{(chr(10) * 2).join(tables)}
"""


def tiers() -> str:
    """Name the tiers other than core and axes."""
    return ", ".join(f"`{name}`" for name in TIERS if name not in ("core", "axes"))


def cell(text: str) -> str:
    """Make a text fit for a table."""
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*")


def top(name: str) -> str:
    """Return a page of the repository's top folder, its links into docs made right."""
    text = (ROOT / name).read_text("utf-8")
    return re.sub(r"\]\(docs/", "](", text)
