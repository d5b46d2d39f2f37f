"""What the JSON-lines protocol costs per call, beyond the program's own time.

Usage: ``python scripts/bench_protocol.py [CALLS]``.  A harness that answers with ready-made bytes computes nothing,
so that all of the time is the protocol's: encoding, pipes, decoding, in refconv and in the harness.
"""

import statistics
import sys
import time

from refconv import load_suite
from refconv.implementations import Call
from refconv.implementations.command import Command
from refconv.suite.embedded import smoke_folder

HARNESS = """
import base64, json, math, os, sys
for line in sys.stdin:
    q = json.loads(line)
    a = {"seq": q["seq"], "status": "ok", "protocol": 1, "transport": sys.argv[1]}
    if q["type"] == "run":
        o = q["output"]
        n = math.prod(o["shape"]) * {"float64": 8, "float32": 4, "int32": 4}.get(o["dtype"], 2)
        a["output"] = {"dtype": o["dtype"], "shape": o["shape"]}
        if "file" in o:
            open(o["file"], "wb").write(bytes(n))
            a["output"]["file"] = o["file"]
        else:
            a["output"]["base64"] = base64.b64encode(bytes(n)).decode()
    print(json.dumps(a), flush=True)
"""


def main(calls: int) -> None:
    """Print the median and the slowest tenth, in milliseconds, for both transports."""
    cases = list(load_suite(smoke_folder()))
    for transport in ("base64", "file"):
        with Command([sys.executable, "-c", HARNESS, transport]) as session:
            times, busy = [], time.process_time()
            for number in range(calls):
                case = cases[number % len(cases)]
                begin = time.perf_counter()
                answer = session.call(Call(case.id, "forward", case.inputs, case.problem))
                times.append(1000 * (time.perf_counter() - begin))
                assert answer.status == "RETURNED", answer.message
        slow = statistics.quantiles(times, n=10)[-1]
        median, own = statistics.median(times), 1000 * (time.process_time() - busy) / calls
        print(f"{transport:6}  median {median:.2f} ms, 9 of 10 within {slow:.2f} ms, {own:.2f} ms of it computing here")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
