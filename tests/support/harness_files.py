"""A harness that takes and gives raw files, for the worked example alone; an argument makes it misbehave."""

import array
import json
import os
import shutil
import sys

MISDEED = sys.argv[1] if len(sys.argv) > 1 else ""


def read(tensor):
    values = array.array("f")
    with open(tensor["file"], "rb") as file:
        values.frombytes(file.read())
    return values


def compute(question):
    x, weight = (read(question["inputs"][name]) for name in ("x", "weight"))
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    y = [sum(x[3 * (i + a) + j + b] * weight[2 * a + b] for a, b in corners) for i, j in corners]
    output = dict(question["output"])
    del output["name"]
    with open(output["file"], "wb") as file:
        file.write(array.array("f", y[1:] if MISDEED == "short" else y).tobytes())
    if MISDEED == "input":
        with open(question["inputs"]["weight"]["file"], "r+b") as file:
            file.write(b"\xff")
    if MISDEED == "elsewhere":
        output["file"] = "/etc/passwd"
    if MISDEED == "absent":
        os.remove(output["file"])
    if MISDEED == "link":
        os.remove(output["file"])
        os.symlink(question["inputs"]["x"]["file"], output["file"])
    spoil(os.path.dirname(output["file"]))
    return output


def spoil(folder):
    if MISDEED == "folder":
        os.remove(f"{folder}/x.bin")
        os.mkdir(f"{folder}/x.bin")
    if MISDEED in ("no-folder", "file-for-folder"):
        shutil.rmtree(folder)
    if MISDEED == "file-for-folder":
        open(folder, "x").close()
    if MISDEED == "link-for-folder":
        os.rename(folder, sys.argv[2])
        os.symlink(sys.argv[2], folder)


for line in sys.stdin:
    question = json.loads(line)
    answer = {"seq": question["seq"], "status": "ok", "protocol": 1, "transport": "file", "name": "files"}
    if question["type"] == "run":
        worked = question["operation"] == "forward" and question["case"].startswith("worked-example-float32")
        answer = {"seq": question["seq"], "status": "ok" if worked else "unsupported"}
        if worked:
            answer["output"] = compute(question)
    print(json.dumps(answer), flush=True)
    if question["type"] == "stop":
        break
