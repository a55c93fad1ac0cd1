"""Where a network runs and in which precision, with the reason. Needs torch."""

from dataclasses import dataclass, replace

import torch

from multidb_chat.domain.errors import InvalidSetting


@dataclass(frozen=True, slots=True)
class Placement:
    """A device, what its numbers are, and why it was chosen, for whoever asks."""

    device: str
    dtype: torch.dtype
    reason: str

    def __str__(self) -> str:
        return f"on {self.device} in {str(self.dtype).removeprefix('torch.')}: {self.reason}"


def place(device: str = "auto", precision: str = "auto") -> Placement:
    """Return where to run: on `device`, or with `auto` on CUDA before MPS before the processor.

    `precision` is `bfloat16`, `float32`, or `auto`. Sixteen bits are enough for a vector (cosine above .999 with
    float32), and bfloat16 keeps float32's range, which the network's activations need and float16 does not have; it is
    chosen where the hardware computes with it, since elsewhere it would be slower.
    Raises `InvalidSetting` for a device that is not there.
    """
    kinds = {"cuda": _cuda, "mps": _mps, "cpu": _cpu}
    wanted = kinds if device == "auto" else {device: kinds[device]}
    found = next((placement for kind in wanted.values() if (placement := kind()) is not None), None)
    if found is None:
        raise InvalidSetting(f"embedder.device: there is no {device} that torch {torch.__version__} can use")
    if device == "auto" and found.device == "cpu":
        found = replace(found, reason=f"no CUDA card and no Apple graphics processor was found; {found.reason}")
    if precision == "auto":
        return found
    return replace(found, dtype=getattr(torch, precision), reason="embedder.precision says so")


def _cuda() -> Placement | None:
    if not torch.cuda.is_available():
        return None
    name, capability = torch.cuda.get_device_name(), torch.cuda.get_device_capability()
    if capability >= (8, 0):
        return Placement("cuda", torch.bfloat16, f"{name} computes with bfloat16")
    return Placement("cuda", torch.float32, f"{name} is of before bfloat16 (compute capability {capability[0]})")


def _mps() -> Placement | None:
    if not torch.backends.mps.is_available():
        return None
    if torch.backends.mps.is_macos_or_newer(14, 0):
        return Placement("mps", torch.bfloat16, "the graphics processor of this Mac computes with bfloat16")
    return Placement("mps", torch.float32, "bfloat16 on this Mac's graphics processor needs macOS 14")


def _cpu() -> Placement:
    if _computes_bfloat16():
        return Placement("cpu", torch.bfloat16, "this processor computes with bfloat16")
    return Placement("cpu", torch.float32, "this processor would convert bfloat16 at every step")


def _computes_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 itself: AVX512-BF16 or AMX, or BF16 of Arm."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))
