"""Ten updates of each optimiser by PyTorch, written to tests/data/optim.txt; run from the project's root.

Four parameters: a matrix, a bias that starts at zero, a vector that is frozen for three steps, and a matrix whose gradient
is zero in step 4. Gradients come from the formula and depend on the step. SGD and Adam are torch.optim's; LARC and LARS
are the rules as stated in src/optim/optim.h around torch.optim.SGD.
Each line: optimiser, parameter, its elements after ten updates.
"""
import torch

from formula import fill

STEPS, LR, MOMENTUM = 10, 0.3, 0.9
SHAPES = {"matrix": (7, 5), "bias": (5,), "late": (9,), "rests": (3, 4)}


def learning_rate(step):
    return LR * (1 + step) / STEPS


def start():
    p = {name: torch.nn.Parameter(fill(shape, name)) for name, shape in SHAPES.items()}
    p["bias"].data.zero_()
    return p


def set_gradients(p, step):
    for name, x in p.items():
        x.grad = None if name == "late" and step < 3 else fill(SHAPES[name], f"{name}.{step}", 0, 0.1)
    if step == 4:
        p["rests"].grad.zero_()


def scale(x, wd, trust):
    """A tensor's own rate; nothing where a norm is zero."""
    norm, gradient_norm = x.data.norm(), x.grad.norm()
    if norm != 0 and gradient_norm != 0:
        x.grad = trust * norm / (gradient_norm + wd * norm + 1e-8) * (x.grad + wd * x.data)


def run(name, wd, trust=0.0):
    p = start()
    if name == "adam":
        optim = torch.optim.Adam(p.values(), lr=LR, weight_decay=wd)
    else:
        optim = torch.optim.SGD(p.values(), lr=LR, momentum=MOMENTUM, weight_decay=wd if name == "sgd" else 0)
    for step in range(STEPS):
        set_gradients(p, step)
        for x in p.values():
            if x.grad is not None and (name == "larc" or name == "lars" and x.dim() > 1):
                scale(x, wd, trust)
        optim.param_groups[0]["lr"] = learning_rate(step)
        optim.step()
    return p


def main():
    with open("tests/data/optim.txt", "w") as out:
        for name, wd, trust in (("sgd", 0.01, 0), ("larc", 0.01, 1e-3), ("lars", 0.01, 0.02), ("adam", 0.01, 0)):
            for key, x in run(name, wd, trust).items():
                print(name, key, *(f"{v:.9g}" for v in x.detach().flatten().tolist()), file=out)


main()
