"""Compute with a description of a wrong operator alone, to see whether it says what the operator does."""

import numpy as np

from refconv.diagnosis.linear import Linear
from refconv.diagnosis.observe import call
from refconv.diagnosis.products import ABSENT, Products
from refconv.diagnosis.recover import ordinary
from refconv.implementations import as_runner


def function_of(layer, operation, problem, dtype=np.float64):
    """Return an operation as a function of float64 tensors, which are handed over in a format."""
    runner = as_runner(layer)

    def function(tensors):
        return call(runner, operation, {name: tensor.astype(dtype) for name, tensor in tensors.items()}, problem)

    return function


def read_back(found, problem):
    """Return the table that a difference stands for."""
    view, parts = found.view, found.parts
    met = [part.evaluate(view) for part in parts]
    there = [item.target != ABSENT for item in met]
    target = np.concatenate([item.target[mask] for item, mask in zip(met, there, strict=True)])
    factor = np.concatenate([item.factor[mask] for item, mask in zip(met, there, strict=True)])
    if found.tensor == "bias":
        y = np.ravel_multi_index([view.letters[name] for name in ("n", "k", "oh", "ow")], problem.y_shape)
        matrix = np.zeros((np.prod(problem.y_shape), problem.out_channels))
        np.add.at(matrix, (np.concatenate([y[mask] for mask in there]), target), factor)
        return Linear(found.operation, problem, matrix)
    columns = {name: np.concatenate([known[mask] for mask in there]) for name, known in view.known.items()}
    return Products(problem, **(columns | {found.tensor: target}), factor=factor)


def says_what_it_does(differences, function, operation, problem):
    """Say whether descriptions give what an operation gives for new inputs.

    A bias that goes along with the products it belongs to has no table of its own, and is left out.
    """
    inputs = ordinary(operation, problem, "read back")
    if any(item.view is None for item in differences):
        inputs["bias"] = np.zeros_like(inputs["bias"])
    tables = [read_back(item, problem) for item in differences if item.view is not None]
    computed = sum(
        table.compute(inputs) if isinstance(table, Linear) else table.compute(operation, inputs) for table in tables
    )
    return np.allclose(computed, function(inputs), rtol=1e-5)
