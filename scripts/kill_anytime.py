"""Kill commands at random moments, fill the disk, forbid to write: the old result stands or the new one, no mixture.

Usage: ``python scripts/kill_anytime.py [KILLS] [SEED]``: KILLS of each command, 50 unless told; by root on Linux also
a full disk.  Ends with 1 if anything was not as promised.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REFCONV = [sys.executable, "-m", "refconv"]
CORE = Path(__file__).parents[1] / "vectors" / "core"
EXPORT = ["export", str(CORE), "--format", "raw", "--select", "asymmetric-*", "--out"]
ACCUMULATED = ["accumulate", "--family", "asymmetric", "--count", "12288", "--checkpoint"]


@dataclass(frozen=True)
class Command:
    """A command, and what it leaves: a folder that its marker names as replaceable, or a file."""

    name: str
    words: list[str]  # the place is the next one
    marker: str = ""
    force: bool = False

    def run(self, place, **options):
        """Run it to its end."""
        again = ["--force"] if self.force and place.exists() else []
        return subprocess.run([*REFCONV, *self.words, str(place), *again], capture_output=True, text=True, **options)

    def killed(self, place, seconds):
        """Run it, kill it after so many seconds, and tell whether it was still running."""
        again = ["--force"] if self.force and place.exists() else []
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([*REFCONV, *self.words, str(place), *again], **quiet)
        time.sleep(seconds)
        process.kill()
        return process.wait() != 0

    def result(self, place, said=""):
        """Return what tells one result from another, or None where there is none."""
        if self.name == "accumulate":
            return said
        if place.is_file():
            report = json.loads(place.read_bytes())  # a torn file would be no JSON
            return [report.get(key) for key in ("old", "executed", "total", "counts")]
        return digest(place) if place.is_dir() else None


COMMANDS = [
    Command("generate", ["generate", "--tier", "smoke", "--out"], "MANIFEST.json", True),
    Command("export", EXPORT, "EXPORT.txt", True),
    Command("check", ["check", "direct", "--report"]),
    Command("accumulate", ACCUMULATED),
]


def digest(folder):
    """Hash names and contents; who computed, and when, is of no account."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "PROVENANCE.json")
    parts = (f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest() for path in files)
    return hashlib.sha256(b"".join(parts)).hexdigest() if files else None


def old_one(command, place):
    """Put an older result there, and return what tells it."""
    if command.marker:
        place.mkdir()
        (place / command.marker).write_text("older\n")
    elif command.name == "check":
        place.write_text('{"old": true}')
    return command.result(place)


def try_kills(command, folder, kills, chance):
    """Kill a command so many times; return what was not as promised."""
    suffix = "" if command.marker else ".json"
    begin = time.perf_counter()
    done = command.run(folder / f"whole{suffix}")
    took, whole = time.perf_counter() - begin, command.result(folder / f"whole{suffix}", done.stdout)
    faults, met = [], 0
    for turn in range(kills):
        here = folder / str(turn)
        here.mkdir()
        place = here / f"out{suffix}"
        old = old_one(command, place) if turn % 2 else None
        met += command.killed(place, chance.uniform(0, 1.05 * took))
        aside = [*here.glob(".out.old-*")] if not place.exists() else []  # between the two renames
        if command.name != "accumulate" and command.result(aside[0] if aside else place) not in (old, whole):
            faults.append(f"{command.name}, kill {turn}: neither the old result nor the new one")
        again = command.run(place)
        if again.returncode or command.result(place, again.stdout) != whole:
            faults.append(f"{command.name}, kill {turn}: the rerun ended with {again.returncode}: {again.stderr}")
        shutil.rmtree(here)
    print(f"{command.name}: {kills} kills, {met} of them met it running; {len(faults)} faults", flush=True)
    return faults


def is_checkpoint(path):
    """Tell whether a file is a whole checkpoint, of the blocks that were counted while there was room."""
    try:
        return json.loads(path.read_bytes())["schema"].startswith("refconv.accumul")
    except (ValueError, KeyError):
        return False


def try_place(command, folder, what):
    """Run a command where it cannot write; demand one sentence, exit 2, and that nothing is there."""
    done = command.run(folder / "out.json")
    left = [path.name for path in folder.iterdir() if path.name != "filler" and not is_checkpoint(path)]
    told = done.stderr.strip().splitlines()
    right = done.returncode == 2 and len(told) == 1 and "Traceback" not in done.stderr and not left
    print(f"{command.name}, {what}: exit {done.returncode}, left {left}; {told[-1:] or done.stdout[-200:]}", flush=True)
    return [] if right else [f"{command.name}, {what}: exit {done.returncode}, left {left}, said {told}"]


def try_mounted(folder, what, options, ballast=0):
    """Run every command on a small file system of its own, of which so many bytes are taken."""
    faults = []
    for command in COMMANDS:
        place = folder / f"{what}-{command.name}".replace(" ", "-")
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options}size=256k", "tmpfs", str(place)], check=True)
        try:
            if ballast:
                (place / "filler").write_bytes(bytes(ballast))
            faults += try_place(command, place, what)
        finally:
            subprocess.run(["umount", str(place)], check=True)
    return faults


def main(kills=50, seed=1):
    """Try everything, and return the exit status."""
    chance, faults = random.Random(int(seed)), []
    with tempfile.TemporaryDirectory() as temporary:
        for command in COMMANDS:
            folder = Path(temporary) / command.name
            folder.mkdir()
            faults += try_kills(command, folder, int(kills), chance)
        if sys.platform == "linux" and os.geteuid() == 0:
            faults += try_mounted(Path(temporary), "full disk", "", 252 * 1024)
            faults += try_mounted(Path(temporary), "read-only folder", "ro,")  # no mode of a folder stops root
        else:
            print("full disk and read-only folder NOT tried: they need root on Linux")
    print("\n".join(faults) or "never a mixture")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
