"""Build a network without its classifier and put weights into it, strictly."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from glue_zoobot.encoders.spec import EncoderSpec
from glue_zoobot.errors import EncoderError

Tensors = Mapping[str, torch.Tensor]
_CLASSIFIERS = ("head.", "fc.", "classifier.", "heads.", "head_dist.")
_LOADING_ARGUMENTS = {
    "pretrained",
    "pretrained_cfg",
    "pretrained_cfg_overlay",
    "checkpoint_path",
    "cache_dir",
}


def build(spec: EncoderSpec) -> nn.Module:
    """
    Build an encoder's network with untrained weights; its output is the pooled features.

    Raises
    ------
    EncoderError
        If the architecture is unknown to timm or torchvision.
    """
    try:
        network = _torchvision(spec) if spec.family == "torchvision" else _timm(spec)
    except Exception as error:
        raise EncoderError(
            f"encoder {spec.name!r}: the network {spec.architecture!r} cannot be built: {error}"
        ) from error
    if spec.padding == "tf_same":
        pad_as_tensorflow(network)
    return network.eval().requires_grad_(False)


def require_size(spec: EncoderSpec, tensors: Tensors) -> None:
    """
    Compare the size of a network with that of its weights, before memory is taken for it.

    Raises
    ------
    EncoderError
        If the network has far more parameters than there are weights; a description may say anything.
    """
    try:
        with torch.device("meta"):
            wanted = sum(tensor.numel() for tensor in build(spec).state_dict().values())
    except Exception:  # it cannot be described without being built; building it says what is wrong
        return
    there = sum(tensor.numel() for tensor in tensors.values())
    if wanted > 2 * there + 1_000_000:
        raise EncoderError(
            f"encoder {spec.name!r}: the network {spec.architecture} has {wanted:,} parameters, its weights "
            f"{there:,}. Name the right architecture in its config.json."
        )


def fill(network: nn.Module, tensors: Tensors, spec: EncoderSpec) -> None:
    """
    Copy weights into a network, in float32. Every tensor must fit; only a classifier's may be left over.

    Raises
    ------
    EncoderError
        If tensors are missing, left over, or of another shape.
    """
    wanted = network.state_dict()
    if any(_faults(wanted, tensors).values()):
        tensors = _in_timm_names(network, tensors)
    for fault, keys in _faults(wanted, tensors).items():
        if keys:
            raise EncoderError(
                f"encoder {spec.name!r}: the weights do not fit the network {spec.architecture}: {len(keys)} "
                f"tensors are {fault}, such as {min(keys)!r}. Name the right architecture in its config.json."
            )
    bad = [key for key in wanted if not torch.isfinite(tensors[key].float()).all()]
    if bad:
        raise EncoderError(
            f"encoder {spec.name!r}: its weights are not all numbers, as in {bad[0]!r} ({len(bad)} tensors). "
            "The training went wrong or the file is damaged; get it again."
        )
    network.load_state_dict(
        {key: tensors[key].to(value.dtype).reshape(value.shape) for key, value in wanted.items()}
    )


def _faults(wanted: Tensors, tensors: Tensors) -> dict[str, set[str]]:
    both = set(wanted) & set(tensors)
    return {
        "missing": set(wanted) - both,
        "left over": {key for key in set(tensors) - both if not key.startswith(_CLASSIFIERS)},
        "of another shape": {key for key in both if _shape(wanted[key]) != _shape(tensors[key])},
    }


def _in_timm_names(network: nn.Module, tensors: Tensors) -> Tensors:
    """Some published weights keep the tensor names of their authors; timm knows how to translate them."""
    translate = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    if translate is None:
        return tensors
    try:
        return translate(dict(tensors), network)
    except (KeyError, ValueError, RuntimeError, AttributeError):
        return tensors  # meant for another network; the caller says what does not fit


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape) if tensor.numel() > 1 else ()


def feature_width(network: nn.Module, spec: EncoderSpec) -> int:
    """Length of what the network gives for one picture."""
    with torch.inference_mode():
        shape = network(torch.zeros(1, spec.channels, spec.input_size, spec.input_size)).shape
    return shape[1] if len(shape) == 2 else 0


def pad_as_tensorflow(network: nn.Module) -> None:
    """
    Pad strided convolutions as TensorFlow's "same" does: the odd pixel goes right and below.

    torch pads both sides alike, which shifts what a network trained in TensorFlow sees by a pixel per stage.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and max(layer.stride) > 1:
            layer.padding = (0, 0)
            layer.register_forward_pre_hook(_pad_same)


def _pad_same(layer: nn.Module, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
    assert isinstance(layer, nn.Conv2d)
    (picture,) = arguments
    sides: list[int] = []
    for axis in (1, 0):  # functional.pad counts from the last axis
        stride, span = layer.stride[axis], layer.dilation[axis] * (layer.kernel_size[axis] - 1) + 1
        length = picture.shape[2 + axis]
        total = max((-(-length // stride) - 1) * stride + span - length, 0)
        sides += [total // 2, total - total // 2]
    return (functional.pad(picture, sides),)


def _timm(spec: EncoderSpec) -> nn.Module:
    import timm

    # a configuration comes from elsewhere: it may shape the network, not make timm load something
    forbidden = _LOADING_ARGUMENTS & set(spec.model_args)
    if forbidden or not timm.is_model(spec.architecture):
        raise EncoderError(f"its config asks for {sorted(forbidden) or 'a network that timm does not have'}")
    arguments = {**spec.model_args, "num_classes": 0, "in_chans": spec.channels}
    return timm.create_model(spec.architecture, pretrained=False, **arguments)


def _torchvision(spec: EncoderSpec) -> nn.Module:
    from torchvision import models

    network = models.get_model(spec.architecture, weights=None, **spec.model_args)
    name = [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear)][-1]
    # the last linear layer of torchvision's classifiers is the one that names ImageNet classes
    parent, _, leaf = name.rpartition(".")
    setattr(network.get_submodule(parent), leaf, nn.Identity())
    return network
