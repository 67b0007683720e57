"""Encoders for tests: tiny networks with random weights, which are fixtures and never models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def random_network(architecture: str, channels: int = 3, seed: int = 0) -> torch.nn.Module:
    import timm

    torch.manual_seed(seed)
    return timm.create_model(architecture, pretrained=False, num_classes=0, in_chans=channels).eval()


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Smooth coloured blobs, uint8 (12, 64, 64, 3)."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:64, :64]
    blobs = []
    for _ in range(12):
        centre, size, tilt = random.uniform(24, 40, 2), random.uniform(4, 14, 3), random.uniform(-0.5, 0.5)
        radius = (x - centre[0] + tilt * (y - centre[1])) ** 2 + (y - centre[1]) ** 2
        blobs.append(np.stack([220 * np.exp(-radius / (2 * s**2)) for s in size], axis=-1))
    return np.array(blobs).astype(np.uint8)


@pytest.fixture(scope="session")
def tiny_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with batch normalisation, saved by timm."""
    from timm.models import save_for_hf

    path = tmp_path_factory.mktemp("saved") / "tiny"
    save_for_hf(random_network("test_efficientnet"), path, safe_serialization=True)
    return path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set up an empty hub cache and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "hub"


def snapshot(hub: Path, repository: str, commit: str = COMMIT, branch: str = "main") -> Path:
    """Make the folder that the hub library would fill for a repository."""
    root = hub / ("models--" + repository.replace("/", "--"))
    (root / "refs").mkdir(parents=True)
    (root / "refs" / branch).write_text(commit)
    folder = root / "snapshots" / commit
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="session")
def shared_weights(galaxy_data: Path) -> Path:
    path = galaxy_data.parent / "weights"
    if not path.is_dir():
        pytest.skip(f"no trained weights in {path}")
    return path
