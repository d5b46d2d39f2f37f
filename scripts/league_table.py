"""From the parts that ``league.py run`` wrote to the page: what every engine did, and the smallest problem of each finding."""

import json
from collections import Counter
from pathlib import Path
def processor():
    return "x"
def write(*a): pass
