"""A second device in pure Python, to test the code for GPUs where there is none.

Importing this module registers the device type "second_device" (PyTorch's PrivateUse1 key, by way of an experimental
helper; every module of PyTorch gets a method of that name, so that it must be one that nobody uses). Its tensors hold
their numbers on the CPU, so that results are equal to the CPU's; but an operand on another device is refused as CUDA
refuses it, and ``COUNTS`` counts what costs a GPU time: launches, reads by the host, for which the GPU waits
(``bool(t)``, ``.item()``, ``.tolist()``, masks as indices), and copies between devices. Types in ``LACKS`` it does not
have, as Apple's GPUs do not have float64.

Not simulated: streams, limits of memory, TF32, sums in another order, speed.
"""

from collections import Counter

import torch
from torch import library
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

_setup_privateuseone_for_python_backend("second_device")
COUNTS: Counter[str] = Counter()
LACKS: set[torch.dtype] = set()
_MOVES = ("_to_copy", "copy_", "_copy_from", "lift_fresh")
_WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "aten.index.Tensor", "aten.index_put")


class Held(torch.Tensor):
    """A tensor of the second device: the CPU tensor ``elem`` behind a wrapper."""

    @staticmethod
    def __new__(cls, elem: torch.Tensor) -> "Held":
        if elem.dtype in LACKS:
            raise TypeError(f"second_device has no {elem.dtype}")
        return torch.Tensor._make_wrapper_subclass(
            cls,
            elem.size(),
            strides=elem.stride(),
            storage_offset=elem.storage_offset(),
            dtype=elem.dtype,
            device="second_device",
        )

    def __init__(self, elem: torch.Tensor) -> None:
        self.elem = elem

    def tolist(self):
        COUNTS["waits"] += 1
        return self.elem.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _compute(func, args, kwargs or {})


def _compute(func, args, kwargs):
    name = str(func)
    moving = any(part in name for part in _MOVES)
    COUNTS["launches"] += not (func.is_view or "empty" in name)
    COUNTS["copies"] += moving
    COUNTS["waits"] += any(part in name for part in _WAITS)
    given = {}

    def unwrap(value):
        if isinstance(value, Held):
            given[id(value.elem)] = value
            return value.elem
        if isinstance(value, torch.Tensor) and value.dim() > 0 and not moving and "index" not in name:
            raise RuntimeError(
                f"{name}: expected all tensors to be on the same device, found second_device and {value.device}"
            )
        if isinstance(value, torch.device) and value.type == "second_device":
            return torch.device("cpu")
        return value

    onto = kwargs.get("device")
    result = func(*tree_map(unwrap, args), **tree_map(unwrap, kwargs))

    def wrap(value):
        if not isinstance(value, torch.Tensor):
            return value
        if id(value) in given:  # in place, or out=
            return given[id(value)]
        return Held(value) if onto is None or torch.device(onto).type == "second_device" else value

    return tree_map(wrap, result)


_anything = library.Library("_", "IMPL")
_anything.fallback(lambda func, *args, **kwargs: _compute(func, args, kwargs), "PrivateUse1")
_aten = library.Library("aten", "IMPL")


def _empty(size, dtype=None, layout=None, device=None, pin_memory=None, memory_format=None):
    return Held(torch.empty(size, dtype=dtype))


def _empty_strided(size, stride, dtype=None, layout=None, device=None, pin_memory=None):
    return Held(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source, target, non_blocking=False):
    COUNTS["copies"] += 1
    values = source.elem if isinstance(source, Held) else source
    (target.elem if isinstance(target, Held) else target).copy_(values)
    return target


def _to_copy(x, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, memory_format=None):
    COUNTS["copies"] += 1
    values = x.elem if isinstance(x, Held) else x
    values = values.to(dtype=dtype or values.dtype, copy=True)
    return values if device is not None and device.type == "cpu" else Held(values)


def _arange(start, end, step=1, **options):
    return Held(torch.arange(start, end, step, dtype=options.get("dtype")))  # PyTorch's own resizes an empty tensor


for _name, _function in {
    "arange": lambda end, **options: _arange(0, end, **options), "arange.start": _arange, "arange.start_step": _arange,
    "empty.memory_format": _empty, "empty_strided": _empty_strided, "_copy_from": _copy_from, "_to_copy": _to_copy,
}.items():  # fmt: skip
    _aten.impl(_name, _function, "PrivateUse1")
