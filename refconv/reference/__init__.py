"""Three independent reference implementations of one layer: direct, sparse and im2col.

They share :class:`refconv.ConvProblem` and nothing else, on purpose: a shared helper would be a
shared bug.  Each module offers ``forward``, ``grad_input``, ``grad_weight`` and ``grad_bias``.
"""
