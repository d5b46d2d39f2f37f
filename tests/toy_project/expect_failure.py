"""The conformance suite must fail for IMPL, and say in words why: python expect_failure.py IMPL."""

import subprocess
import sys

command = [sys.executable, "-m", "pytest", "--pyargs", "refconv.conformance", "--refconv-impl", sys.argv[1]]
done = subprocess.run(command, capture_output=True, text=True)
found = done.returncode == 1 and "FAIL  worked-example-float32-iota/x3x3-w2x2  forward" in done.stdout
print(f"{sys.argv[1]} was found wrong." if found else done.stdout + done.stderr)
sys.exit(not found)
