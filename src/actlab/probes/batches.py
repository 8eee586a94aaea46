"""Probe data, whatever they come in, as batches; and the one place where they are converted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab import inputs

MOST_BATCHES = 100_000
"""More than this from one generator, and it is taken for one that never ends."""


@dataclass(frozen=True)
class Batch:
    """Inputs, and labels and sample weights where there are any: arrays or structures of them."""

    x: Any
    y: Any = None
    weight: Any = None


class Batches:
    """Iterates over data again and again, a :class:`Batch` at a time.

    ``data``:

    - ``x``: an array or tensor (samples, ...), a data frame, or a list or dict of them for
      several inputs;
    - a tuple ``(x, y)`` or ``(x, y, sample_weight)`` of such;
    - a source of batches: a PyTorch ``DataLoader`` or ``Dataset``, a ``tf.data.Dataset``, a Keras
      ``PyDataset``, or anything that can be iterated over. A tuple or list of two or three that it
      gives is taken as above, anything else as x. A generator, which can be run once only, is read
      into memory.

    ``batch_size`` cuts arrays; sources of batches keep their own.

    Raises ``TypeError`` for anything else, ``ValueError`` for no data at all, arrays of different
    lengths, or a source that never ends.
    """

    def __init__(self, data: Any, *, batch_size: int, name: str = "x") -> None:
        self.batch_size, self._name = inputs.integer(batch_size, "batch_size", 1), name
        self._source: Any = None
        if isinstance(data, torch.utils.data.Dataset) and not isinstance(
            data, torch.utils.data.IterableDataset
        ):
            data = torch.utils.data.DataLoader(data, batch_size=self.batch_size)
        if _is_source(data):
            self._source = self._repeatable(data)
            return
        parts = data if isinstance(data, tuple) else (data,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"{name}: expected x, (x, y) or (x, y, sample_weight), got a tuple of "
                f"{len(parts)}; several inputs go into a list or a dict."
            )
        self._parts = [_as_arrays(name, part, i > 0) for i, part in enumerate(parts)]
        lengths = [len(leaf) for part in self._parts for leaf in leaves(part)]
        if len(set(lengths)) > 1 or 0 in lengths:
            raise ValueError(
                f"{name}: expected arrays of one length above 0, got {sorted(set(lengths))}."
            )
        self.samples = lengths[0]

    def __iter__(self) -> Iterator[Batch]:
        if self._source is None:
            for start in range(0, self.samples, self.batch_size):
                rows = slice(start, start + self.batch_size)
                yield Batch(*(mapped(lambda leaf: leaf[rows], part) for part in self._parts))  # noqa: B023
            return
        some = False
        for item in _iterated(self._source):
            parts = item if isinstance(item, (tuple, list)) and 1 <= len(item) <= 3 else (item,)
            batch = Batch(*(_as_arrays(self._name, p, i > 0) for i, p in enumerate(parts)))
            if not len(leaves(batch.x)[0]):
                continue
            some = True
            yield batch
        if not some:
            raise ValueError(f"{self._name}: the {type(self._source).__name__} gave no data.")

    def _repeatable(self, data: Any) -> Any:
        endless = f"{self._name}: this {type(data).__name__} never ends; give a part of it"
        if hasattr(data, "cardinality") and int(data.cardinality()) == -1:
            raise ValueError(f"{endless}: .take(number of batches).")
        if hasattr(data, "num_batches") and data.num_batches is None:
            raise ValueError(f"{endless}.")
        if not hasattr(data, "__next__"):
            return data
        read = list(islice(data, MOST_BATCHES + 1))
        if len(read) > MOST_BATCHES:
            raise ValueError(f"{endless}.")
        return read


def _is_source(data: Any) -> bool:
    """Something that gives batches, and not an array or a structure of arrays."""
    if isinstance(data, (tuple, list, Mapping, str, bytes)) or _is_array(data):
        return False
    return hasattr(data, "__iter__") or hasattr(data, "num_batches")


def _iterated(source: Any) -> Iterator[Any]:
    """Its batches; a generator that shuffles them goes on afterwards as if not used."""
    if hasattr(source, "num_batches") and not isinstance(source, Iterable):  # a Keras PyDataset
        yield from (source[i] for i in range(source.num_batches))
        return
    shuffler = getattr(source, "generator", None)
    if not isinstance(shuffler, torch.Generator):
        yield from source
        return
    state = shuffler.get_state()
    try:
        yield from source
    finally:
        shuffler.set_state(state)


def _is_array(value: Any) -> bool:
    return (hasattr(value, "shape") and hasattr(value, "dtype")) or hasattr(value, "iloc")


def _as_arrays(name: str, data: Any, optional: bool) -> Any:
    """A structure whose leaves can be cut into rows."""
    if data is None and optional:
        return None
    found = leaves(data)
    if not found or not all(_is_array(leaf) and len(leaf.shape) for leaf in found):
        raise ValueError(
            f"{name}: expected an array, a list or dict of arrays (one per input), or a source of "
            f"batches such as a DataLoader or a tf.data.Dataset, got {_described(data)}."
        )
    return mapped(lambda leaf: to_numpy(leaf) if hasattr(leaf, "iloc") else leaf, data)


def _described(data: Any) -> str:
    odd = next((leaf for leaf in leaves(data) if not _is_array(leaf) or not len(leaf.shape)), data)
    kind = type(odd).__name__
    return kind if odd is data else f"{type(data).__name__} with {kind} inside"


# --- Structures and conversion -------------------------------------------------------------------


def leaves(data: Any) -> list[Any]:
    """What a structure of dicts, lists and tuples holds; ``None`` is left out."""
    if isinstance(data, Mapping):
        return [leaf for part in data.values() for leaf in leaves(part)]
    if isinstance(data, (list, tuple)):
        return [leaf for part in data for leaf in leaves(part)]
    return [] if data is None else [data]


def mapped(function: Callable[[Any], Any], data: Any) -> Any:
    """The same structure with the function applied to every leaf."""
    if isinstance(data, Mapping):
        return {key: mapped(function, part) for key, part in data.items()}
    if isinstance(data, (list, tuple)):
        return type(data)([mapped(function, part) for part in data])
    return None if data is None else function(data)


def tensors_of(data: Any) -> Iterator[Tensor]:
    """All PyTorch tensors in a structure."""
    return (leaf for leaf in leaves(data) if isinstance(leaf, Tensor))


def to_torch(value: Any, model: Any = None) -> Tensor:
    """A tensor for the model: on its device, and floats that were no tensor in its dtype."""
    like = None
    if isinstance(model, nn.Module):
        floats = (p for p in (*model.parameters(), *model.buffers()) if p.is_floating_point())
        like = next(floats, None)
    if not isinstance(value, Tensor):
        value = torch.from_numpy(inputs.array(value, "data").copy())
        if like is not None and value.is_floating_point():
            value = value.to(like.dtype)
    tensor: Tensor = value
    return tensor if like is None else tensor.to(like.device)


def to_numpy(value: Any) -> np.ndarray[Any, Any]:
    """An array: tensors are detached and brought to this machine's memory (text stays text)."""
    return inputs.array(value, "data", kinds="biufSU")
