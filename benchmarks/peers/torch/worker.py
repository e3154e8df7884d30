"""PyTorch in one process: orders on stdin, answers on stdout, one line of JSON each (see worker.ts)."""
import json
import os
import resource
import sys
import time

import torch

from inputs import fingerprint, make_inputs
from operations import OPERATIONS

torch.set_num_threads(int(os.environ.get("BENCHMARK_THREADS", "1")))
# References are computed in float64, timings in float32.
DTYPE = torch.float64 if os.environ.get("BENCHMARK_REFERENCE") else torch.float32
torch.set_default_dtype(DTYPE)

prepared = None


def blas():
    """Which library multiplies the matrices: with the plain one of Netlib, PyTorch is many times slower."""
    torch.ones(2, 2) @ torch.ones(2, 2)
    try:
        with open("/proc/self/maps") as file:
            paths = {line.split()[-1] for line in file if "/" in line}
    except OSError:
        return "unknown BLAS"
    for name, sign in (("MKL", "libmkl"), ("OpenBLAS", "openblas"), ("BLIS", "libblis"), ("plain BLAS", "libblas")):
        if any(sign in path for path in paths):
            return name
    return "BLAS built in"


def hello(order):
    return {"version": f"{torch.__version__} with {blas()}", "operations": list(OPERATIONS)}


def prepare(order):
    global prepared
    case = order["work"]
    arrays = make_inputs(case["inputs"])
    tensors = {k: torch.from_numpy(v) for k, v in arrays.items()}
    tensors = {k: v.to(DTYPE) if v.is_floating_point() else v for k, v in tensors.items()}
    prepared = OPERATIONS[case["operation"]](tensors, case["sizes"])
    results, checked = {}, case["checkedSteps"]
    for step in range(1, checked + 1):
        prepared.step()
        for name, values in prepared.results().items():
            results[name if checked == 1 else f"{name} {step}"] = fingerprint(values.detach().numpy())
    return {"results": results}


def timed_round(order):
    step, iterations = prepared.step, order["iterations"]
    cpu, start = time.process_time_ns(), time.perf_counter_ns()
    for _ in range(iterations):
        step()
    wall, cpu = time.perf_counter_ns() - start, time.process_time_ns() - cpu
    return {"wall": wall / iterations, "cpu": cpu / iterations}


def resident_megabytes():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def memory(order):
    steps, end = order["steps"], time.perf_counter() + order["seconds"]
    report = {"steps": [], "megabytes": []}
    for i in range(1, steps + 1):
        prepared.step()
        late = time.perf_counter() > end
        if i % (steps // 10) == 0 or late:
            report["steps"].append(i)
            report["megabytes"].append(resident_megabytes())
        if late:
            break
    return report


ORDERS = {"hello": hello, "prepare": prepare, "round": timed_round, "memory": memory}

for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = ORDERS[order["order"]](order)
    except Exception as error:  # The runner tells; the next case may work.
        answer = {"error": f"{type(error).__name__}: {error}".split("\n")[0]}
    print(json.dumps(answer), flush=True)
