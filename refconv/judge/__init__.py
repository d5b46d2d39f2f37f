"""The judge: proven error bounds, the intervals that follow, and the verdict on one tensor."""

from refconv.judge.bounds import Interval, error_bound, growth, standard_interval
from refconv.judge.verdict import Element, Verdict, judge_tensor

__all__ = ["Element", "Interval", "Verdict", "error_bound", "growth", "judge_tensor", "standard_interval"]
