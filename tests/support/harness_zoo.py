"""A harness that misbehaves as its first argument says wherever the kernel is 2 x 2; its second is harness.py.

It imports nothing of refconv, as a stranger's would.
"""

import base64
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

MISDEED, HONEST = sys.argv[1], sys.argv[2]
spec = importlib.util.spec_from_file_location("harness", HONEST)
harness = importlib.util.module_from_spec(spec)
spec.loader.exec_module(harness)
cache = {}


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def misbehave(question, answer):
    """Return the line to write instead, or do what ends everything."""
    output = answer["output"]
    size = {"float32": 4, "float64": 8}[output["dtype"]]
    count = len(base64.b64decode(output["base64"])) // size
    match MISDEED:
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(0)
        case "last-words":
            sys.stderr.write("out of luck\n")
            os._exit(3)
        case "hang":
            time.sleep(1000)
        case "hang-with-child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
            pathlib.Path(sys.argv[3]).write_text(str(child.pid))
            time.sleep(1000)
        case "half":
            write(json.dumps(answer)[:40])
            os._exit(0)
        case "garbage":
            return "computing ...\n" + json.dumps(answer)
        case "megabytes":
            return "x" * 2**23
        case "lines":
            return "debug\n" * 2**18
        case "twice":
            return json.dumps(answer) + "\n" + json.dumps(answer)
        case "old-seq":
            answer["seq"] -= 1
        case "status":
            answer["status"] = "fine"
        case "shape":
            output["shape"] = [count]
        case "dtype":
            output["dtype"] = {4: "int32", 8: "float64"}[size]
        case "unknown-dtype":
            output["dtype"] = "real"
        case "length":
            output["base64"] = base64.b64encode(base64.b64decode(output["base64"])[:-4]).decode()
        case "no-base64":
            output["base64"] = "?" * 16
        case "no-output":
            del answer["output"]
        case "nan":
            output["base64"] = base64.b64encode(b"\xff" * (size * count)).decode()
        case "cached":
            output["base64"] = cache.setdefault(str(output["shape"]), output["base64"])
        case "rejects":
            answer = {"seq": question["seq"], "status": "rejected", "message": "no such kernel"}
        case "breaks":
            answer = {"seq": question["seq"], "status": "error", "message": "out of memory"}
        case "nested":
            return '{"seq": ' + "[" * 100_000
    return json.dumps(answer)


def main():
    if MISDEED == "deaf":
        write(json.dumps({"seq": json.loads(sys.stdin.readline())["seq"], "status": "ok", "protocol": 1}) + "\n")
        time.sleep(1000)
    for line in sys.stdin:
        question = json.loads(line)
        answer = {"seq": question["seq"], **harness.answer(question)}
        wrong = question["type"] == "run" and question["problem"]["kernel_size"] == [2, 2] and answer["status"] == "ok"
        write((misbehave(question, answer) if wrong else json.dumps(answer)) + "\n")
        if question["type"] == "stop":
            return


main()
