"""Damage real files at random: whatever is in them, a reader gives an answer or one error of refconv's own.

Usage::

    python scripts/fuzz_readers.py --seconds 60          # every reader in turn, on the files of the embedded suite
    python scripts/fuzz_readers.py --flips 10000 --vectors vectors/core    # single bits, each of which must be noticed

Prints how often each reader was asked, and how often it refused.  Ends with the seed of what went wrong, if anything.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

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
XFAILS = b'[[xfail]]\nmatch = "grouped-*"\noperations = ["forward"]\nreason = "x"\nissue = "https://example.org/1"\n'
ANSWER = {"seq": 7, "status": "ok", "output": {"dtype": "float32", "shape": [1, 2], "base64": "AACAPwAAAEA="}}


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


def readers(folder):
    """Return by name what is damaged and what reads it."""
    smoke = smoke_folder()
    index, payload = ((smoke / f"{GROUP}.{suffix}").read_bytes() for suffix in ("json", "safetensors"))
    case = load_suite(smoke).case(f"{GROUP}/x3x3-w2x2")
    call = Call(case.id, "forward", case.inputs, case.problem)
    known = Path(folder) / "known.toml"

    def xfails(data):
        known.write_bytes(data)
        read_xfails(known)

    line = f"{case.id} forward ok 4 42140000 423c0000 42860000 429a0000\n".encode()
    return {
        "index": (index, lambda data: build_group(parse_index(data, "g.json"), payload, "g")),
        "payload": (payload, lambda data: decode(data, "g.safetensors")),
        "manifest": ((smoke / "MANIFEST.json").read_bytes(), lambda data: parse_manifest(data, "m.json")),
        "sums": ((smoke / "SHA256SUMS").read_bytes(), lambda data: parse_sums(data, "SHA256SUMS")),
        "answer": (json.dumps(ANSWER).encode(), lambda data: received(parse_answer(data, 7), None, "y")),
        "stream": (line, lambda data: StreamResults(data.decode("utf-8", "replace").splitlines()).call(call)),
        "xfails": (XFAILS, xfails),
    }


def fuzz(seconds, seed):
    """Ask every reader in turn until the time is up; return whether only errors of ours came."""
    asked, refused = Counter(), Counter()
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        found = readers(folder)
        while time.monotonic() < until:
            for name, (content, read) in found.items():
                data = damaged(content, random.Random(f"{seed}/{name}/{asked[name]}"))
                try:
                    read(data)
                except (RefconvError, GarbledError):
                    refused[name] += 1
                except Exception:
                    traceback.print_exc(limit=-3)
                    print(f"{name} broke down on the damage {seed}/{name}/{asked[name]}: {data[:200]!r}")
                    return False
                asked[name] += 1
    print(f"{sum(asked.values())} executions, seed {seed}:", *(f"{n} {asked[n]} ({refused[n]} refused)" for n in asked))
    return True


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
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--flips", type=int, default=0)
    parser.add_argument("--vectors", type=Path, default=smoke_folder())
    wanted = parser.parse_args()
    good = fuzz(wanted.seconds, wanted.seed) if wanted.seconds else True
    good = (flips(wanted.flips, wanted.vectors, wanted.seed) if wanted.flips else True) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
