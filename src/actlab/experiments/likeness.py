"""What an untrained network keeps of its inputs' likeness, and dropout of its signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actlab.experiments import untrained

if TYPE_CHECKING:
    from actlab.ensemble import Networks

Array = npt.NDArray[np.float64]


def resemblance(networks: Networks, x: Any, labels: npt.ArrayLike) -> tuple[Array, Array]:
    """How untrained networks see the likeness of samples, (networks, layers) each.

    First the mean cosine between the activations of two different samples; then how well classes
    are told apart: the share of samples whose most similar other sample is of their own class.
    """
    import torch

    own = torch.as_tensor(labels)
    cosines, shares = [], []
    n = len(own)
    for layer in untrained.outputs(networks, x):
        unit = torch.nn.functional.normalize(layer, dim=2)
        similar = unit @ unit.mT
        cosines.append((similar.double().sum((1, 2)) - n) / (n * (n - 1)))
        similar.diagonal(dim1=1, dim2=2).fill_(-2)
        shares.append((own[similar.argmax(2)] == own).double().mean(1))
    return torch.stack(cosines, 1).numpy(), torch.stack(shares, 1).numpy()


def repeatability(networks: Networks, x: Any) -> Array:
    """What dropout leaves of the signal, (networks, layers).

    The same inputs pass the same weights twice, under two draws of dropout; the cosine between
    the two vectors of activations, averaged over the samples: 1 is all signal, 0 all noise.
    """
    import torch

    first = [layer.clone() for layer in untrained.outputs(networks, x, "train")]
    second = untrained.outputs(networks, x, "train")
    cosines = [torch.cosine_similarity(a, b, dim=2) for a, b in zip(first, second, strict=True)]
    return torch.stack([c.double().mean(1) for c in cosines], 1).numpy()
