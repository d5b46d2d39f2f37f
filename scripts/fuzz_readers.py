"""Damage real files at random: whatever is in them, a reader gives an answer or one error of refconv's own.

Usage::

    python scripts/fuzz_readers.py --seconds 60          # every reader in turn, on the files of the embedded suite
    python scripts/fuzz_readers.py --seconds 30 --jobs 2 # in two processes, with two seeds
    python scripts/fuzz_readers.py --again 17/index/3    # one damage once more, as a failure names it
    python scripts/fuzz_readers.py --flips 10000 --vectors vectors/core    # single bits, each of which must be noticed

Files are damaged as bytes, and, with hashes that are right, in what they say; what is read in spite of it is judged,
too.  Prints how often each reader was asked, and how often it refused.  The seed is another one every time unless told;
what goes wrong is named by how to see it again.
"""

import argparse
import copy
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import refconv
from refconv.check import read_xfails
from refconv.errors import RefconvError, SuiteError
from refconv.implementations import Call
from refconv.implementations.messages import GarbledError, parse_answer, received
from refconv.implementations.stream_results import StreamResults
from refconv.suite import Suite, load_suite
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.embedded import smoke_folder
from refconv.suite.manifest import parse_manifest, parse_sums
from refconv.suite.safetensors_codec import decode

GROUP = "worked-example-float32-iota"
STRANGE = [b"9" * 30, b"-1", b"NaN", b"1e999", b'"', b"[" * 5000, b"\xff\xfe", b"../", b"/etc/passwd", b"\x00", b"null"]
ODD = [None, True, 0, -1, 1, 7, 2**31, 2**62, 2**70, "", "../x", "a\nb", [], [1], [2**31, 2**31], {}]
XFAILS = b'[[xfail]]\nmatch = "grouped-*"\noperations = ["forward"]\nreason = "x"\nissue = "https://example.org/1"\n'
ANSWER = {"seq": 7, "status": "ok", "output": {"dtype": "float32", "shape": [1, 2], "base64": "AACAPwAAAEA="}}


def places(document):
    """List every place of a document as (container, key)."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else []
    return [place for key in keys for place in [(document, key), *places(document[key])]]


def changed(content, draw):
    """Change what a JSON document says, in one to three places."""
    document = json.loads(content)
    for _ in range(draw.randint(1, 3)):
        container, key = draw.choice(places(document))
        found = container[key]
        if isinstance(found, int) and draw.random() < 0.7:
            container[key] = found + draw.choice((-1, 1))
        elif isinstance(found, str) and draw.random() < 0.5:
            container[key] = draw.choice([word for _, word in texts(document)])
        else:
            container[key] = copy.deepcopy(draw.choice(ODD))
    return json.dumps(document).encode()


def texts(document):
    """List the texts of a document with the containers they stand in."""
    return [(box, box[key]) for box, key in places(document) if isinstance(box[key], str)]


def damaged(content, draw):
    """Flip, cut, insert, double and move bytes, a few times."""
    found = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        begin, length = draw.randrange(len(found) + 1), draw.randint(1, 32)
        kind = draw.randrange(6)
        if kind == 0 and begin < len(found):
            found[begin] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del found[begin : begin + length]
        elif kind == 2:
            found[begin:begin] = draw.choice(STRANGE)
        elif kind == 3:
            found[begin:begin] = found[begin : begin + length]
        elif kind == 4:
            del found[begin:]
        else:
            found[begin : begin + 1] = draw.choice(STRANGE)
    return bytes(found)


class Held:
    """A suite of one group that lies in no folder."""

    name, version = "held", "0"

    def __init__(self, group):
        self.ids, self._cases = [case.id for case in group.cases], {case.id: case for case in group.cases}
        self.case = self._cases.__getitem__

    def select(self, patterns):
        """Return all ids."""
        return self.ids


def judge(group):
    """Judge a layer on what has been read; whatever it says, nothing may break down."""
    report = refconv.check("im2col", Held(group), thorough=False)
    broken = [outcome.message for outcome in report.outcomes if "refconv itself broke down" in outcome.message]
    if broken:
        raise AssertionError(broken[0])


def readers(folder):
    """Return by name what is damaged, how, and what reads it."""
    smoke = smoke_folder()
    index, payload = ((smoke / f"{GROUP}.{suffix}").read_bytes() for suffix in ("json", "safetensors"))
    case = load_suite(smoke).case(f"{GROUP}/x3x3-w2x2")
    call = Call(case.id, "forward", case.inputs, case.problem)
    known = Path(folder) / "known.toml"

    def xfails(data):
        known.write_bytes(data)
        read_xfails(known)

    line = f"{case.id} forward ok 4 42140000 423c0000 42860000 429a0000\n".encode()

    def group(data):
        return build_group(parse_index(data, "g.json"), payload, "g")

    by_bytes = {
        "index": (index, group),
        "payload": (payload, lambda data: decode(data, "g.safetensors")),
        "manifest": ((smoke / "MANIFEST.json").read_bytes(), lambda data: parse_manifest(data, "m.json")),
        "sums": ((smoke / "SHA256SUMS").read_bytes(), lambda data: parse_sums(data, "SHA256SUMS")),
        "answer": (json.dumps(ANSWER).encode(), lambda data: received(parse_answer(data, 7), None, "y")),
        "stream": (line, lambda data: StreamResults(data.decode("utf-8", "replace").splitlines()).call(call)),
        "xfails": (XFAILS, xfails),
    }
    found = {name: (content, damaged, read) for name, (content, read) in by_bytes.items()}
    return found | {"meaning": (index, changed, lambda data: judge(group(data)))}


def fuzz(seconds, seed):
    """Ask every reader in turn until the time is up; return whether only errors of ours came."""
    asked, refused = Counter(), Counter()
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        found = readers(folder)
        while time.monotonic() < until:
            for name, how in found.items():
                try:
                    refused[name] += attempt(f"{seed}/{name}/{asked[name]}", *how)
                except Exception:
                    traceback.print_exc(limit=-3)
                    print(
                        f"see it again: python scripts/fuzz_readers.py --again {seed}/{name}/{asked[name]}", flush=True
                    )
                    return False
                asked[name] += 1
    said = ", ".join(f"{name} {asked[name]} ({refused[name]} refused)" for name in asked)
    print(f"{sum(asked.values())} executions, seed {seed}: {said}", flush=True)
    return True


def attempt(damage, content, damages, read):
    """Read what has one damage, and tell whether it was refused; anything but that, or an answer, is raised."""
    try:
        read(damages(content, random.Random(damage)))
    except (RefconvError, GarbledError):
        return True
    return False


def again(damage):
    """Do one damage once more, show what it makes, and let its reader fail."""
    with tempfile.TemporaryDirectory() as folder:
        content, damages, read = readers(folder)[damage.split("/")[1]]
        print(damages(content, random.Random(damage))[:2000])
        print("refused" if attempt(damage, content, damages, read) else "read")


def fuzz_beside(seconds, seed, jobs):
    """Fuzz in so many processes, each with a seed of its own."""
    with ProcessPoolExecutor(jobs) as pool:
        return all(pool.map(fuzz, [seconds] * jobs, range(seed, seed + jobs)))


def flips(count, folder, seed):
    """Flip single bits in a copy of a suite, one at a time, and read the group; return whether each was noticed."""
    draw, noticed, begin = random.Random(seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as copy:
        suite = load_suite(shutil.copytree(folder, copy, dirs_exist_ok=True))
        records = [(record.name, file) for record in suite.manifest.groups for file in record.files]
        for name, file in draw.choices(records, [file.nbytes for _, file in records], k=count):
            place, bit = draw.randrange(file.nbytes), draw.randrange(8)
            flip(suite.folder / file.path, place, bit)
            try:
                Suite(suite.folder, suite.manifest).group(name)
                print(f"not noticed: bit {bit} of byte {place} of {file.path}")
            except SuiteError:
                noticed += 1
            flip(suite.folder / file.path, place, bit)
        whole = all(Suite(suite.folder, suite.manifest).group(name).cases for name in suite.group_names)
    print(f"{noticed} of {count} flipped bits of {folder} noticed, {time.monotonic() - begin:.0f} s")
    return whole and noticed == count


def flip(path, place, bit):
    """Flip one bit of a file."""
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", metavar="DAMAGE")
    parser.add_argument("--flips", type=int, default=0)
    parser.add_argument("--vectors", type=Path, default=smoke_folder())
    wanted = parser.parse_args()
    if wanted.again:
        again(wanted.again)
    good = fuzz_beside(wanted.seconds, wanted.seed, wanted.jobs) if wanted.seconds else True
    good = (flips(wanted.flips, wanted.vectors, wanted.seed) if wanted.flips else True) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
