"""``python -m refconv`` is ``refconv``; Ctrl-C ends it in one word, also while modules are being imported."""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130  # as a shell says it: 128 and the number of SIGINT


def main() -> None:
    """Import the command line and run it."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # background jobs of a shell ignore it
    if heeded:
        signal.signal(signal.SIGINT, leave)
    from refconv.cli import main as run

    try:
        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:  # just before or after what `run` itself catches
        leave()
    finally:
        if heeded:
            signal.signal(signal.SIGINT, leave)  # who presses it again does not want to wait for Python's end


def leave(*_: object) -> None:
    """End at once, where there is nothing to tidy up."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
