"""The part of PyTorch that the library touches, in NumPy: tensors, modules, layers, state."""

import sys
import types

import numpy as np
from scipy.special import ndtr


class Tensor(np.lib.mixins.NDArrayOperatorsMixin):
    """Numbers that NumPy cannot read until they are detached, as those of a graph."""

    def __init__(self, values, requires_grad=False):
        self.values = np.asarray(values, np.float32)
        self.requires_grad = requires_grad

    @property
    def shape(self):
        return self.values.shape

    @property
    def ndim(self):
        return self.values.ndim

    def detach(self):
        return Tensor(self.values)

    def cpu(self):
        return self

    def numpy(self):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.numpy(), dtype)

    def new_tensor(self, values):
        return Tensor(values)

    def chunk(self, n, dim):
        return tuple(Tensor(part, self.requires_grad) for part in np.split(self.values, n, dim))

    def __getitem__(self, index):
        return Tensor(self.values[index], self.requires_grad)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        graph = any(isinstance(x, Tensor) and x.requires_grad for x in inputs)
        plain = [x.values if isinstance(x, Tensor) else x for x in inputs]
        return Tensor(getattr(ufunc, method)(*plain, **options), graph)

    def __matmul__(self, other):
        return Tensor(self.values @ other.values, self.requires_grad or other.requires_grad)


class Module:
    training = True

    def __init__(self):
        self._buffers = {}

    def register_buffer(self, name, tensor):
        self._buffers[name] = tensor
        setattr(self, name, tensor)

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def named_modules(self, prefix=""):
        yield prefix, self
        for name, part in vars(self).items():
            if isinstance(part, Module):
                yield from part.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self):
        return (part for _, part in self.named_modules())

    def state_dict(self):
        state = {}
        for prefix, part in self.named_modules():
            for name, value in vars(part).items():
                if isinstance(value, Tensor):
                    state[f"{prefix}.{name}" if prefix else name] = value
        return state

    def parameters(self):
        return (value for value in self.state_dict().values() if value.requires_grad)


class Linear(Module):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__()
        rng = np.random.default_rng(10 * n_in + n_out)
        self.weight = Parameter(rng.normal(size=(n_out, n_in)) / np.sqrt(n_in))
        self.bias = Parameter(rng.normal(size=n_out)) if bias else None

    def forward(self, x):
        out = Tensor(x.values @ self.weight.values.T, True)
        return out if self.bias is None else out + self.bias


class Sequential(Module):
    def __init__(self, *parts):
        super().__init__()
        for i, part in enumerate(parts):
            setattr(self, str(i), part)

    def forward(self, x):
        for name, part in vars(self).items():
            x = part(x) if name.isdigit() else x
        return x


class Dropout(Module):
    """Doubles at random half of its inputs, in training alone."""

    rng = np.random.default_rng(0)

    def forward(self, x):
        return x * (2.0 * self.rng.integers(2, size=x.shape)) if self.training else x


def _elementwise(name, function):
    return type(name, (Module,), {"forward": lambda self, x: function(x)})


def Parameter(values):  # noqa: N802
    return Tensor(values.values if isinstance(values, Tensor) else values, True)


def softplus(x):
    return np.logaddexp(x, np.float32(0))


ReLU = _elementwise("ReLU", lambda x: np.maximum(x, 0))
Tanh = _elementwise("Tanh", np.tanh)
Sigmoid = _elementwise("Sigmoid", lambda x: 1 / (1 + np.exp(-x)))
SiLU = _elementwise("SiLU", lambda x: x / (1 + np.exp(-x)))
LeakyReLU = _elementwise("LeakyReLU", lambda x: np.maximum(x, 0.01 * x))
ELU = _elementwise("ELU", lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)))
Softplus = _elementwise("Softplus", softplus)


class GELU(Module):
    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, x):
        if self.approximate == "tanh":
            return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
        return x * Tensor(ndtr(x.values))


Sin = _elementwise("Sin", np.sin)


def install(monkeypatch):
    """Put the fake in the place of ``torch`` for one test."""
    torch, nn, functional = (types.ModuleType(n) for n in ("torch", "nn", "functional"))
    kinds = (Module, Linear, Sequential, ReLU, Tanh, Sigmoid, SiLU)
    kinds += (LeakyReLU, ELU, GELU, Softplus)
    for kind in kinds:
        setattr(nn, kind.__name__, kind)
    functional.softplus = softplus
    nn.Parameter, nn.functional, torch.nn = Parameter, functional, nn
    torch.from_numpy, torch.log, torch.Tensor = Tensor, np.log, Tensor
    torch.sign, torch.log1p, torch.abs = np.sign, np.log1p, np.abs
    torch.clamp = lambda x, low, high: np.minimum(np.maximum(x, low), high)
    monkeypatch.setitem(sys.modules, "torch", torch)
