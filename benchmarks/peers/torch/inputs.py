"""Inputs and fingerprints, bit for bit those of inputs.ts and fingerprint.ts."""
import numpy as np

PROJECTIONS, SAMPLES = 4, 32


def mix(count, seed):
    index = np.arange(count, dtype=np.uint32)
    h = index * np.uint32(0x9E3779B1) + np.uint32(seed * 0x85EBCA77 & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def make_input(spec, seed):
    count = int(np.prod(spec["shape"]))
    if "below" in spec:
        values = (mix(count, seed) % np.uint32(spec["below"])).astype(np.int64)
    else:
        low, high = spec.get("between", [-1, 1])
        uniform = (mix(count, seed) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
        values = np.float32(low) + uniform * np.float32(high - low)
    return values.reshape(spec["shape"])


def make_inputs(specs):
    return {name: make_input(spec, i + 1) for i, (name, spec) in enumerate(specs.items())}


def fingerprint(values):
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    bits = mix(flat.size, 0)
    signs = [1 - 2 * ((bits >> np.uint32(p)) & np.uint32(1)).astype(np.float64) for p in range(PROJECTIONS)]
    step = max(1, flat.size // SAMPLES)
    return {
        "size": flat.size,
        "norm": float(np.sqrt((flat * flat).sum())),
        "projections": [float((flat * s).sum()) for s in signs],
        "sample": flat[: step * SAMPLES : step][:SAMPLES].tolist(),
    }
