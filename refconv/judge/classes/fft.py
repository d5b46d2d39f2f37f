"""Class ``fft``: convolution by fast Fourier transforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refconv.exact.slicing import ceil_log2
from refconv.judge.bounds import error_bound, growth
from refconv.judge.classes.base import AccuracyClass, Float64s, upward
from refconv.judge.classes.norms import channel_norm, over_channels
from refconv.judge.evidence import Evidence


@dataclass(frozen=True)
class Fft(AccuracyClass):
    """``E = t(20 * log2(N) + C + 3) * sum_c norm2(x_c) * norm1(w_c)``, t(n) = (1 + u)**n - 1, N points.

    A radix-2 transform of accurate weights errs by ``log2(N) * (u + 4u * sqrt(2))``, less than
    ``20/3 * log2(N) * u``, relative to the 2-norm (Higham, "Accuracy and Stability of Numerical
    Algorithms", theorem 24.2), and by less than that relative to the 1-norm of the input in every element,
    because each butterfly multiplies and adds once.  There are three transforms; the complex product errs
    by ``sqrt(5) * u`` (Brent, Percival and Zimmermann, Math. Comp. 76, 2007), the sum over C channels by
    C - 1 and the scaling by one more.  By Parseval's theorem an error e of the spectrum is one of at most
    ``norm2(e) / sqrt(N)`` in the result, whose spectrum has at most the norm
    ``sqrt(N) * sum_c norm2(x_c) * norm1(w_c)``.

    N is taken as twice the padded image, rounded up to powers of two.  One channel is a whole image, so
    that the bound is loose for large ones; smaller tiles only err less.

    Examples
    --------
    >>> Fft().name
    'fft'
    """

    @property
    def name(self) -> str:
        """The text form."""
        return "fft"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E, at least that of plain arithmetic, which grad_bias has in any case."""
        plain = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
        return plain if evidence.operation == "grad_bias" else np.maximum(plain, self._transformed(evidence))

    def _transformed(self, evidence: Evidence) -> Float64s:
        levels, channels = _levels(evidence), _summands(evidence)
        norms = _grad_weight_norms(evidence) if evidence.operation == "grad_weight" else _image_norms(evidence)
        spread = norms.reshape(*norms.shape, *[1] * (evidence.magnitude.ndim - 2))
        bias = 0.0 if evidence.bias is None else np.abs(evidence.bias)
        count = 20 * levels + channels + 3 + (evidence.bias is not None)
        factor = growth(count, evidence.accumulator.precision)
        # Underflow: each butterfly loses up to two steps, which the levels add up to 2N; both factors feel it.
        first, second = evidence.factors
        sizes = sum(float(channel_norm(factor, 1).sum()) for factor in (first, second))
        step = 2.0**evidence.accumulator.quantum_exponent
        underflow = 4 * step * 2.0**levels * (sizes + channels + 1)
        total = factor * (spread + bias) + (1 + factor) * underflow
        return upward(np.broadcast_to(total, evidence.magnitude.shape), 2 * channels + 16)


def _levels(evidence: Evidence) -> int:
    problem = evidence.problem
    lengths = [size + sum(pads) for size, pads in zip(problem.input_size, problem.padding, strict=True)]
    return sum(ceil_log2(2 * length) for length in lengths)


def _summands(evidence: Evidence) -> int:
    """Count the spectra that are added into one: channels, or the images of a batch."""
    problem = evidence.problem
    channels = {"forward": problem.in_channels, "grad_input": problem.out_channels}
    if evidence.operation in channels:
        return channels[evidence.operation] // problem.groups
    return problem.batch


def _image_norms(evidence: Evidence) -> Float64s:
    image, weight = evidence.factors
    return over_channels(evidence, channel_norm(image, 2), channel_norm(weight, 1))


def _grad_weight_norms(evidence: Evidence) -> Float64s:
    """Return the smaller of both ways to bound the spectra of x and grad_output, shape (K, C/G)."""
    x, grad_output = evidence.factors
    G = evidence.problem.groups
    ways = []
    for orders in ((2, 1), (1, 2)):
        image, gradient = (channel_norm(t, order) for t, order in zip((x, grad_output), orders, strict=True))
        grouped = [norms.reshape(norms.shape[0], G, norms.shape[1] // G) for norms in (image, gradient)]
        ways.append(np.einsum("ngc,ngk->gkc", *grouped))
    smaller = np.minimum(*ways)
    return upward(smaller.reshape(G * smaller.shape[1], smaller.shape[2]), 2 * x.shape[0] + 1)
