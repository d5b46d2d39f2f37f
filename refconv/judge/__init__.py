"""The judge: accuracy classes, proven error bounds, the intervals that follow, and the verdict on one tensor."""

from refconv.judge.bounds import Interval, error_bound, growth, standard_interval
from refconv.judge.classes import AccuracyClass, parse_class
from refconv.judge.digest import digest
from refconv.judge.evidence import Evidence
from refconv.judge.statistics import Statistics, companion
from refconv.judge.verdict import EDGES, Element, Verdict, judge_tensor

__all__ = [
    "EDGES",
    "AccuracyClass",
    "Element",
    "Evidence",
    "Interval",
    "Statistics",
    "Verdict",
    "companion",
    "digest",
    "error_bound",
    "growth",
    "judge_tensor",
    "parse_class",
    "standard_interval",
]
