"""Work for the tests of refconv.workers, which other processes import."""

import os
import signal
from pathlib import Path


def square(number):
    return number * number


def kill_once(path):
    """Die like a worker that the system kills, the first time; later return the name."""
    mark = Path(path)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def kill_always(path):
    if Path(path).name == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(path).name


def count_threads(_):
    return os.environ["OPENBLAS_NUM_THREADS"]


def hears_ctrl_c(_):
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def invert(number):
    return 1 / number
