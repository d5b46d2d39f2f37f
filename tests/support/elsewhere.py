"""Arrays that are not NumPy's, for tests without a device: they understand NumPy's words, and mix with none of its own.

Like CuPy's, they answer NumPy's functions with arrays of their own kind, are never converted unasked, know neither
``initial`` nor ``where`` in reductions, take subnormal numbers of float32 for zeros, and round to float16 by way of it.
"""

from types import SimpleNamespace

import array_api_compat.numpy as standard
import numpy as np


class Elsewhere(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that lives elsewhere."""

    device = "elsewhere"

    def __init__(self, array):
        self.there = array

    def get(self):
        """Carry it back."""
        return self.there

    def __array__(self, *_, **__):
        raise TypeError("implicit conversion to a NumPy array")

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method != "__call__" or ufunc.signature:
            return NotImplemented
        return _flushed(_called(ufunc, [_flushed(value) for value in inputs], keywords))

    def __array_function__(self, function, types, arguments, keywords):
        if function is np.asarray:  # what carries an array there
            return Elsewhere(*arguments)
        return _called(function, arguments, keywords)

    def astype(self, dtype, copy=True):
        """Convert, subnormal numbers to zeros, and narrow ones by way of float32."""
        steps = [] if dtype == self.dtype else [np.float32, dtype] if dtype == np.float16 else [dtype]
        for kind in steps:
            self = _flushed(Elsewhere(_flushed(self).there.astype(kind, copy=copy)))
        return self

    def __array_namespace__(self, **_):
        return NAMESPACE

    def __getattr__(self, name):
        if name.startswith("__"):  # __array_interface__ would let NumPy in
            raise AttributeError(name)
        value = getattr(self.there, name)
        return (lambda *a, **k: _called(value, a, k)) if callable(value) and name != "dtype" else value

    def __getitem__(self, key):
        return Elsewhere(np.asarray(self.there[_unwrapped(key)]))

    def __setitem__(self, key, value):
        self.there[_unwrapped(key)] = _unwrapped(value)

    def __len__(self):
        return len(self.there)

    def __iter__(self):
        return (self[place] for place in range(len(self)))

    def __bool__(self):
        return bool(self.there)

    def __int__(self):
        return int(self.there)

    def __float__(self):
        return float(self.there)


class Namespace:
    """The array API standard's functions for these arrays."""

    __name__ = "elsewhere"

    def __getattr__(self, name):
        value = getattr(standard, name)
        return value if isinstance(value, type) else lambda *a, **k: _called(value, a, k)


NAMESPACE = Namespace()


def cupy_with(carried):
    """Return a module to stand in CuPy's place, which sees one device, and lists what is carried there."""

    def asarray(tensor):
        carried.append(tensor)
        return Elsewhere(tensor)

    runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
    types = {"ndarray": SimpleNamespace, "generic": SimpleNamespace}  # by which others know CuPy's arrays
    cuda = SimpleNamespace(runtime=runtime)
    return SimpleNamespace(asarray=asarray, asnumpy=Elsewhere.get, __version__="0", cuda=cuda, **types)


def _called(function, arguments, keywords):
    assert not {"initial", "where"} & set(keywords), f"{function.__name__} does not take these elsewhere: {keywords}"
    if keywords.pop("device", "elsewhere") != "elsewhere":
        raise TypeError("no such device")
    return _wrapped(function(*_unwrapped(arguments), **{name: _unwrapped(value) for name, value in keywords.items()}))


def _flushed(value):
    """Put zeros in the place of subnormal numbers of float32."""
    if not isinstance(value, Elsewhere) or value.dtype != np.float32:
        return value
    small = np.abs(value.there) < 2.0**-126
    return Elsewhere(np.where(small, np.float32(0), value.there)) if (small & (value.there != 0)).any() else value


def _unwrapped(value):
    """Take arrays out of their wrapping; an array of NumPy's must not be among them."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_unwrapped, value))
    if isinstance(value, np.ndarray):
        raise TypeError("an array of NumPy's among arrays from elsewhere")
    return value.there if isinstance(value, Elsewhere) else value


def _wrapped(value):
    if isinstance(value, (tuple, list)):
        return type(value)(map(_wrapped, value)) if type(value) in (tuple, list) else tuple(map(_wrapped, value))
    return Elsewhere(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value
