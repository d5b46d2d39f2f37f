"""The page of ``league.py``: what every engine did, and the smallest problem of each finding."""

import json
import platform
import re
import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

STATUSES = ("PASS", "SUSPICIOUS", "FAIL", "UNSUPPORTED", "REJECTED", "ERROR", "TIMEOUT", "CRASH")
FINDINGS = ("FAIL", "REJECTED", "ERROR", "TIMEOUT", "CRASH")
VERDICTS = {"bug": "the engine's bug", "limit": "a known limit", "choice": "a choice of the engine"}

HEAD = """# {title}

What engines did on the golden vectors, each operation in a process where it could crash alone. *Unsupported* is what
an engine, or our adapter for it, does not offer; *rejected* a legal problem that it refused with an error. *Rounded* is
the share of elements that equal the exact result rounded once, *use* the largest share of the allowed interval that
any passing result took. *Time* is that of the calls, compilation included, on two cores that other work shared: rows
cannot be compared by it. A crash ended the process.

Made by `python scripts/league.py run ENGINE...{suite} --out part.json`, once in each engine's environment, and
`python scripts/league.py table part*.json --notes docs/{stem}_notes.toml --keep docs/{stem}.json --out docs/{stem}.md`,
which leaves engines that have not been run again as they were. The figures are in [{stem}.json]({stem}.json).
"""


def processor():
    """Name the processor and those of its instructions on which integer kernels depend."""
    cpu = Path("/proc/cpuinfo")
    text = cpu.read_text() if cpu.exists() else ""
    names = re.findall(r"^model name\s*: (.*)", text, re.MULTILINE)
    flags = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if f" {flag} " in text]
    return " ".join([names[0] if names else platform.processor(), *flags])


def write(paths, notes_path, out, kept=None):
    """Merge parts, explain their findings by the notes, and write the page and its figures.

    An engine that is in no part stays as it stands in the figures ``kept``.
    """
    parts = together(part for path in paths for part in json.loads(path.read_text()))
    notes = tomllib.loads(notes_path.read_text())["note"] if notes_path else []
    engines = [summarise(part, notes) for part in parts]
    new = {engine["engine"] for engine in engines}
    engines += [engine for engine in json.loads(kept.read_text()) if engine["engine"] not in new] if kept else []
    engines.sort(key=lambda engine: engine["engine"])
    told = {note for engine in engines for finding in engine["findings"] for note in finding["note"]}
    for idle in (note["match"] for note in notes if note["text"] not in told):
        print(f"a note matches nothing: {idle}")
    lines = [head(out.stem, engines), *overview(engines), *details(engines), *findings(engines)]
    out.write_text("\n".join(lines) + "\n")
    out.with_suffix(".json").write_text(json.dumps(engines, indent=1, ensure_ascii=False) + "\n")


def head(stem, engines):
    """Return the first lines; a page about a single other suite than core says which."""
    suites = {named.partition(" ")[0] for engine in engines for named in engine["suite"].split(", ")}
    name = suites.pop() if len(suites - {"core"}) == len(suites) == 1 else ""
    suite = f" --suite vectors/{name}" if name else ""
    return HEAD.format(title=f"League table{': ' * bool(name)}{name}", suite=suite, stem=stem)


def together(parts):
    """Join the parts of the same engine, which ran on several suites."""
    found = {}
    for part in parts:
        first = found.setdefault(part["engine"], part)
        if first is not part:
            first["suite"] += f", {part['suite']}"
            first["outcomes"] += part["outcomes"]
    return list(found.values())


def summarise(part, notes):
    """Turn the outcomes of an engine into rows and findings."""
    outcomes = part.pop("outcomes")
    keys = sorted({(o["operation"], o["dtype"]) for o in outcomes})
    rows = [row(key, [o for o in outcomes if (o["operation"], o["dtype"]) == key]) for key in keys]
    return part | {
        "total": row(("all", "all"), outcomes),
        "rows": rows,
        "findings": find(part["engine"], outcomes, notes),
    }


def row(key, outcomes):
    """Sum up some outcomes."""
    judged = [o for o in outcomes if "rounded" in o]
    shares = [o["rounded"] for o in judged]
    uses = [o["use"] for o in judged if o["status"] in ("PASS", "SUSPICIOUS")]
    return {
        "operation": key[0], "dtype": key[1], **{status: 0 for status in STATUSES},
        **Counter(o["status"] for o in outcomes),
        "rounded": sum(shares) / len(shares) if shares else None, "use": max(uses, default=None),
        "seconds": round(sum(o["seconds"] for o in outcomes), 3),
    }  # fmt: skip


def find(engine, outcomes, notes):
    """Group what went wrong by what is known about it, or else by what it looks like; smallest problem first."""
    groups = {}
    for outcome in sorted((o for o in outcomes if o["status"] in FINDINGS), key=lambda o: (o["size"], o["case"])):
        known = next((note for note in notes if matches(note["match"], engine, outcome)), None)
        look = (outcome["operation"], outcome["dtype"], outcome["status"], blurred(outcome["message"]))
        groups.setdefault(known["text"] if known else look, (known, []))[1].append(outcome)
    return [finding(known, found) for known, found in groups.values()]


def finding(known, found):
    """Describe a group by its smallest outcome."""
    smallest = found[0]
    return {
        "verdict": known["verdict"] if known else "", "note": [known["text"]] if known else [],
        "link": known.get("link", "") if known else "",
        "count": len(found), "statuses": dict(Counter(o["status"] for o in found)),
        "operations": sorted({o["operation"] for o in found}), "dtypes": sorted({o["dtype"] for o in found}),
        **{key: smallest[key] for key in ("case", "operation", "dtype", "descriptor", "status", "message")},
    }  # fmt: skip


def matches(pattern, engine, outcome):
    """Whether a note is about an outcome: ENGINE OPERATION STATUS CASE, shell patterns between blanks."""
    facts = (engine, outcome["operation"], outcome["status"], outcome["case"])
    return all(fnmatchcase(fact, part) for fact, part in zip(facts, pattern.split(), strict=True))


def blurred(message):
    """Forget the numbers of a message, by which findings of one kind differ."""
    return re.sub(r"[-+.\w]*\d[-+.\w]*", "#", message)[:60]


def overview(engines):
    """Yield one row for each engine."""
    yield "## Engines\n"
    yield table_head("engine", "version", "suites")
    for engine in engines:
        yield table_row(engine["total"], engine["engine"], engine["version"], engine["suite"])
    yield ""
    yield f"Python {join(engines, 'python')}; {join(engines, 'machine')}."
    yield f"\nMeasured on {join(engines, 'date')}."


def details(engines):
    """Yield a table for each engine, without the rows that it does not support at all."""
    yield "\n## Operations and formats"
    for engine in engines:
        yield f"\n### {engine['engine']}\n"
        yield table_head("operation", "inputs")
        idle = []
        for line in engine["rows"]:
            ran = any(line[status] for status in STATUSES if status != "UNSUPPORTED")
            if ran:
                yield table_row(line, line["operation"], line["dtype"])
            else:
                idle.append(f"{line['operation']} {line['dtype']}")
        if idle:
            yield f"\nUnsupported: {', '.join(idle)}."


def findings(engines):
    """Yield the findings, those that are bugs first, each with its smallest problem."""
    yield "\n## What was found\n"
    yield "The smallest case of the suite for each; a verdict stands only where somebody looked into it.\n"
    for engine in engines:
        if engine["findings"]:
            yield f"### {engine['version']}{named(engine)}\n"
        order = {"bug": 0, "": 1, "limit": 2, "choice": 3}
        for found in sorted(engine["findings"], key=lambda finding: order[finding["verdict"]]):
            yield from described(found)
            yield ""


def named(engine):
    """Say which option was used, where there is one."""
    return f" as `{engine['engine']}`" if ":" in engine["engine"] else ""


def described(found):
    """Yield the lines of one finding."""
    counts = ", ".join(f"{number} {status.lower()}" for status, number in found["statuses"].items())
    known = (
        f"**{VERDICTS[found['verdict']].capitalize()}.** {found['note'][0]}" if found["note"] else "Not looked into."
    )
    link = f" ({found['link']})" if found["link"] else ""
    yield f"- {known}{link} {', '.join(found['operations'])}; {', '.join(found['dtypes'])}: {counts}."
    message = " ".join(found["message"].split())[:300].replace("[", "\\[")  # no link
    yield f"  Smallest: {found['operation']} {found['dtype']} `{found['descriptor']}` (`{found['case']}`): {message}"


def table_head(*names):
    """Return the head of a table."""
    cells = [*names, "pass", "fail", "unsupported", "rejected", "error", "crash", "rounded", "use", "time"]
    return f"| {' | '.join(cells)} |\n|{'---|' * len(names)}{'--:|' * (len(cells) - len(names))}"


def table_row(line, *names):
    """Return one row of a table."""
    counts = [
        line["PASS"] + line["SUSPICIOUS"], line["FAIL"], line["UNSUPPORTED"], line["REJECTED"], line["ERROR"],
        line["CRASH"] + line["TIMEOUT"],
    ]  # fmt: skip
    rounded = "" if line["rounded"] is None else f"{100 * line['rounded']:.1f} %"
    use = "" if line["use"] is None else f"{line['use']:.2f}"
    cells = [*names, *(str(count or "") for count in counts), rounded, use, f"{line['seconds']:.1f} s"]
    return f"| {' | '.join(cells)} |"


def join(engines, key):
    """List the different values that engines have."""
    return ", ".join(dict.fromkeys(engine[key] for engine in engines))
