"""The transposed convolution, by the methods of the three references: direct, sparse and im2col.

It is the adjoint of a convolution, and the reason for W*: y = (W*)ᵀ x.  So its ``grad_input`` is that convolution, and
its ``grad_weight`` that convolution's with the roles of x and grad_output exchanged.  ``sparse`` and ``im2col`` compute
it so, with the transposed matrix and with columns that are added where they overlap; ``direct`` is written from the
definition, scatter by scatter, and knows nothing of any adjoint.
"""

from refconv.reference.transposed import direct, im2col, sparse

__all__ = ["direct", "im2col", "sparse"]
