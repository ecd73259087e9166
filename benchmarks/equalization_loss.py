"""EqualizationLoss against the published implementation: time and memory, forward and backward.

    python benchmarks/equalization_loss.py
    python benchmarks/equalization_loss.py --rows 1024 --classes 1230 --repeats 200 --device cuda

Prints Markdown tables. On a CPU one thread is used. The two sides run in turn, so that a change of
the machine's speed meets both. Time is that of one forward and backward pass. Peak memory is what a
pass allocates at most beyond the logits that it is given; the gradient of the logits, which the
caller keeps, is in it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from lvis_merge.training.losses import EqualizationLoss, VerifiedLabels

FOREGROUND = 0.25  # of the proposals, as mmdet's sampler fills a batch at most
TAIL = 915 / 1230  # of the categories, as in LVIS v0.5 at λ = 0.00177
VERIFIED = 0.02  # of the categories, on an Open Images image
IMAGES = 2  # per GPU, 512 proposals each

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """One comparison: a name and the two losses of the same batch."""

    name: str
    logits: Tensor
    published: Loss
    ours: Loss


def published(
    logits: Tensor, label: Tensor, tail: Tensor, verified: VerifiedLabels | None
) -> Tensor:
    """The loss as the authors compute it: everything as an N x C matrix.

    The authors have no verified labels; their mask is one more factor of the weights.
    """
    rows, classes = logits.shape
    one_hot = logits.new_zeros(rows, classes + 1)
    one_hot[torch.arange(rows), label] = 1
    target = one_hot[:, :classes]
    excluded = (label != classes).float().view(rows, 1).expand(rows, classes)
    below = logits.new_zeros(classes)
    below[tail] = 1
    weight = 1 - excluded * below.view(1, classes).expand(rows, classes) * (1 - target)
    if verified is not None:
        known = verified.negatives[verified.slot].to(logits.dtype)
        weight = weight * torch.maximum(target, known)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return torch.sum(entropy * weight) / rows


def make_case(rows: int, classes: int, device: str, verified: bool) -> Case:
    """A batch like those of training; with verified labels, one image of each kind."""
    generator = torch.Generator().manual_seed(0)
    label = torch.full((rows,), classes)
    objects = torch.randperm(rows, generator=generator)[: int(rows * FOREGROUND)]
    label[objects] = torch.randint(0, classes, (len(objects),), generator=generator)
    tail = torch.rand(classes, generator=generator) < TAIL
    logits = (torch.randn(rows, classes, generator=generator) * 2 - 5).to(device)
    label = label.to(device)
    known = None
    if verified:
        negatives = torch.rand(IMAGES, classes, generator=generator) < VERIFIED
        negatives[0] = True
        slot = torch.arange(rows) * IMAGES // max(rows, 1)
        known = VerifiedLabels(slot.to(device), negatives.to(device))
    loss = EqualizationLoss(frequencies=(~tail).double(), lambda_=0.5).to(device)
    on_device = tail.to(device)
    return Case(
        "with verified labels" if verified else "every label known",
        logits.requires_grad_(),
        lambda z: published(z, label, on_device, known),
        lambda z: loss(z, label, verified=known),
    )


def one_pass(logits: Tensor, loss: Loss) -> Tensor:
    """Forward and backward; the gradient of the logits is dropped."""
    value = loss(logits)
    value.backward()
    logits.grad = None
    return value


def check(case: Case) -> None:
    """Both sides must mean the same thing before their speed is worth telling."""
    values, gradients = [], []
    for loss in (case.published, case.ours):
        value = loss(case.logits)
        (gradient,) = torch.autograd.grad(value, case.logits)
        values.append(value)
        gradients.append(gradient)
    torch.testing.assert_close(*values, rtol=1e-5, atol=0)
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-9)


def seconds(case: Case, repeats: int) -> tuple[list[float], list[float]]:
    """Times of the two sides, in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    wait = torch.cuda.synchronize if case.logits.is_cuda else (lambda: None)
    for _ in range(repeats + 3):
        for taken, loss in zip(times, (case.published, case.ours), strict=True):
            wait()
            start = time.perf_counter()
            one_pass(case.logits, loss)
            wait()
            taken.append(time.perf_counter() - start)
    return times[0][3:], times[1][3:]


def peak_bytes(case: Case, loss: Loss) -> int:
    """The most that a pass has allocated at once."""
    one_pass(case.logits, loss)
    if case.logits.is_cuda:
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        one_pass(case.logits, loss)
        return int(torch.cuda.max_memory_allocated() - before)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        one_pass(case.logits, loss)
    events = recorded.profiler.kineto_results.events()
    changes = [event for event in events if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return int(most)


def spread(values: list[float]) -> str:
    """Median and quartiles in milliseconds."""
    low, middle, high = (1e3 * value for value in statistics.quantiles(values, n=4))
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def report(cases: list[Case], repeats: int, title: str) -> None:
    """Both tables."""
    times = [seconds(case, repeats) for case in cases]
    peaks = [(peak_bytes(case, case.published), peak_bytes(case, case.ours)) for case in cases]
    print(f"{title}, median of {repeats} (quartiles)\n")
    print("| forward + backward, ms | published | EqualizationLoss | ratio |")
    print("|---|---:|---:|---:|")
    for case, (theirs, ours) in zip(cases, times, strict=True):
        ratio = statistics.median(theirs) / statistics.median(ours)
        print(f"| {case.name} | {spread(theirs)} | {spread(ours)} | {ratio:.1f} x |")
    print("\n| peak memory, MiB | published | EqualizationLoss | ratio |")
    print("|---|---:|---:|---:|")
    for case, (theirs_peak, ours_peak) in zip(cases, peaks, strict=True):
        row = f"{theirs_peak / 2**20:.1f} | {ours_peak / 2**20:.1f} | {theirs_peak / ours_peak:.1f}"
        print(f"| {case.name} | {row} x |")


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1024, help="proposals, N")
    parser.add_argument("--classes", type=int, default=1230, help="categories, C")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = [
        make_case(options.rows, options.classes, options.device, verified)
        for verified in (False, True)
    ]
    for case in cases:
        check(case)
    where = torch.cuda.get_device_name() if "cuda" in options.device else "CPU, one thread"
    title = (
        f"N = {options.rows}, C = {options.classes}, float32, {where}, torch {torch.__version__}"
    )
    report(cases, options.repeats, title)


if __name__ == "__main__":
    main()
