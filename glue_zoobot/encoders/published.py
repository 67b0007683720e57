"""
The published encoders: what exists, under which hub id, how wide, and how Zoobot is fed.

**Zoobot's view.** The configuration stored with Zoobot's weights on the hub (ImageNet mean and standard
deviation, bicubic, crop 0.95) is inherited from timm and is *not* what the networks were trained with.
Zoobot's own loader (galaxy-datasets ``minimal_view_config``) keeps the central 1/1.2 of the frame, scales it
bilinearly with antialiasing, and feeds RGB from 0 to 1 with no normalisation. That is `ZOOBOT_VIEW`.

**An open question: the pixel range.** Between early and mid March 2024 Zoobot's training loader divided by
255 twice, and the first public encoders were uploaded days later. A given encoder may therefore have been
trained on 0 to 1 (the documented range, used here) or on 0 to 1/255. Only an experiment with the weights can
tell. Should one show the second for an encoder, its range is ``std=(255, 255, 255)`` here, and its
preprocessing hash changes.

Widths and sizes are those of the networks built by timm 1.0; the ids, the licence and the recommendation
(start with ``convnext_nano``, best ``convnext_base``) are from Zoobot's documentation of pretrained models.
"""

from __future__ import annotations

from typing import Any

from glue_zoobot.encoders.spec import EncoderSpec

ZOOBOT_VIEW: dict[str, Any] = {
    "crop": 1 / 1.2,
    "interpolation": "bilinear",
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
}
ZOOBOT_GREY_VIEW: dict[str, Any] = {**ZOOBOT_VIEW, "mean": (0.0,), "std": (1.0,), "channels": 1}
ZOOBOT_OWNER = "mwalmsley"
ZOOBOT_PREFIXES = ("zoobot-encoder-", "baseline-encoder-")
GREY_PREFIX = "zoobot-encoder-greyscale-"
ZOOBOT_LICENCE = "Apache-2.0"
ZOOBOT_CITATION = "Walmsley et al. 2023, JOSS 8, 5312; trained on Galaxy Zoo Evo"

_IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

# architecture: (width, size of the weights in MB)
_ZOOBOT = {
    "convnext_nano": (640, 59.9),
    "convnext_base": (1024, 350.0),
    "convnext_pico": (512, 34.1),
    "convnext_tiny": (768, 111.0),
    "convnext_small": (768, 198.0),
    "convnext_large": (1536, 785.0),
    "maxvit_tiny_tf_224": (512, 122.0),
    "maxvit_rmlp_small_rw_224": (768, 257.0),
    "maxvit_rmlp_base_rw_224": (768, 461.0),
    "maxvit_large_tf_224": (1024, 843.0),
    "efficientnet_b0": (1280, 16.2),
    "tf_efficientnetv2_s": (1280, 81.3),
    "resnet18": (512, 44.7),
    "resnet50": (2048, 94.1),
    "resnet101": (2048, 170.0),
}
_ZOOBOT_GREY = {"convnext_nano": (640, 59.8), "convnext_pico": (512, 34.1)}

# name on the hub under timm/: (width, size in MB, licence)
_TIMM = {
    "convnext_nano.in12k_ft_in1k": (640, 62.4, "Apache-2.0"),
    "resnet50.a1_in1k": (2048, 102.0, "Apache-2.0"),
    "efficientnet_b0.ra_in1k": (1280, 21.4, "Apache-2.0"),
}
_TIMM_INTERPOLATION = {"efficientnet_b0.ra_in1k": ("bicubic", 0.875)}

# torchvision: (file, width, size in MB)
_TORCHVISION = {
    "mobilenet_v2": ("mobilenet_v2-7ebf99e0.pth", 1280, 14.2),
    "resnet50": ("resnet50-11ad3fa6.pth", 2048, 102.5),
}


def zoobot_specs() -> list[EncoderSpec]:
    """Describe Zoobot's encoders, the recommended ones first."""
    colour = [
        _zoobot(architecture, f"zoobot-encoder-{architecture}", width, size, ZOOBOT_VIEW)
        for architecture, (width, size) in _ZOOBOT.items()
    ]
    grey = [
        _zoobot(architecture, f"{GREY_PREFIX}{architecture}", width, size, ZOOBOT_GREY_VIEW)
        for architecture, (width, size) in _ZOOBOT_GREY.items()
    ]
    return colour + grey


def _zoobot(architecture: str, repository: str, width: int, size: float, view: dict[str, Any]) -> EncoderSpec:
    return EncoderSpec(
        name=repository.removeprefix("zoobot-encoder-"),
        family="zoobot",
        architecture=architecture,
        weights=f"{ZOOBOT_OWNER}/{repository}",
        width=width,
        size_mb=size,
        licence=ZOOBOT_LICENCE,
        citation=ZOOBOT_CITATION,
        **view,
    )


def imagenet_specs() -> list[EncoderSpec]:
    """Describe a few networks trained on photographs: baselines, not galaxy networks."""
    timm = [
        EncoderSpec(
            name=name,
            family="timm",
            architecture=name.split(".")[0],
            weights=f"timm/{name}",
            width=width,
            size_mb=size,
            licence=licence,
            citation="Wightman, PyTorch Image Models (timm), doi:10.5281/zenodo.4414861",
            crop=_TIMM_INTERPOLATION.get(name, ("bicubic", 0.95))[1],
            interpolation=_TIMM_INTERPOLATION.get(name, ("bicubic", 0.95))[0],
            **_IMAGENET,
        )
        for name, (width, size, licence) in _TIMM.items()
    ]
    torchvision = [
        EncoderSpec(
            name=f"torchvision:{name}",
            family="torchvision",
            architecture=name,
            weights=f"https://download.pytorch.org/models/{file}",
            width=width,
            size_mb=size,
            licence="BSD-3-Clause",
            citation="torchvision, IMAGENET1K_V2 weights",
            crop=224 / 232,
            **_IMAGENET,
        )
        for name, (file, width, size) in _TORCHVISION.items()
    ]
    return timm + torchvision
