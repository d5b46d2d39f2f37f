"""The survivors that are explained: a change of one line in one file, and why nobody could see it."""

import re
import tomllib


class Explained:
    """What docs/mutants.toml says."""

    def __init__(self, path):
        told = tomllib.loads(path.read_text("utf-8"))
        self.lines = {(e["file"], e["was"], becomes): e["why"] for e in told.get("mutant", []) for becomes in e["is"]}
        self.guards = [(re.compile(entry["without"]), entry["why"]) for entry in told.get("guard", [])]

    def reason(self, mutant):
        """Return why a mutant is no other program, or None."""
        found = self.lines.get((mutant.file, mutant.was, mutant.becomes))
        alike = (why for part, why in self.guards if part.sub("", mutant.was) == part.sub("", mutant.becomes))
        return found or next(alike, None)
