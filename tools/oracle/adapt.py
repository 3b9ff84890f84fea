"""Ten batches of every adapter by plain PyTorch in double, written to tests/data/adapt.txt; run from the project's root.

resnet18-w16 with the small stem and a linear layer of 6 classes, weights by the formula (the last layer's times 6, so that
some predictions are sure); batches of 12 images of 24 pixels, the tenth of 8. Lines, all preceded by the case's name:
`logits BATCH` and `loss BATCH` for batches 0 and 9, `delta BATCHES NAME`: how far a tensor has moved after 1 and 10 batches;
each with a norm and eight elements evenly spread. Names of cases as arguments: only those are printed, to be put in.
"""
import copy
import math
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill, fill_module
from network import Backbone

CLASSES, SIDE, N, LAST, BATCHES = 6, 24, 12, 8, 10
WATCHED = ("conv1.weight", "bn1.weight", "bn1.running_mean", "layer2.0.downsample.0.weight", "layer3.1.bn1.bias",
           "layer4.1.bn2.weight", "layer4.1.bn2.running_var", "fc.weight", "fc.bias")


def images(batch, n):
    patches = fill((n, 3, 4, 4), f"patches.{batch}")
    noise = fill((n, 3, SIDE, SIDE), f"noise.{batch}", 0, 0.5)
    at = torch.arange(SIDE) * 4 // SIDE
    return (noise + patches[:, :, at][:, :, :, at]).double()


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.featurizer = Backbone(16)
        self.fc = nn.Linear(128, CLASSES)
        fill_module(self.featurizer)
        fill_module(self.fc, "fc.")
        with torch.no_grad():
            self.fc.weight.mul_(6)
        for name, b in self.featurizer.named_buffers():
            if "running_" in name:
                b.copy_(fill(tuple(b.shape), name, 1 if "var" in name else 0, 0.25))
        self.double()

    def forward(self, x):
        return self.fc(self.featurizer(x))

    def state(self):
        return {name.removeprefix("featurizer."): x.clone() for name, x in self.state_dict().items()}


def entropy(p):
    return -(p.softmax(1) * p.log_softmax(1)).sum(1)


def affine(model, without=""):
    out = []
    for name, m in model.named_modules():
        if isinstance(m, nn.BatchNorm2d) and not (without and without in name):
            out += [m.weight, m.bias]
    return out


def trained(model, which):
    return {"all": lambda: list(model.parameters()), "body": lambda: list(model.featurizer.parameters()),
            "head": lambda: list(model.fc.parameters()), "affine": lambda: affine(model)}[which]()


def optimiser(params, kind, lr):
    return torch.optim.Adam(params, lr) if kind == "adam" else torch.optim.SGD(params, lr, momentum=0.9)


class Steps:
    """What most have in common: train mode, a loss, a step."""

    def __init__(self, model, which="affine", opt="adam", lr=1e-3, steps=1, episodic=False):
        self.model, self.steps, self.episodic = model.train(), steps, episodic
        self.make = lambda: optimiser(trained(model, which), opt, lr)
        self.opt, self.start = self.make(), copy.deepcopy(model.state_dict())

    def batch(self, x):
        if self.episodic:
            self.model.load_state_dict(self.start)
            self.opt = self.make()
        for _ in range(self.steps):
            z = self.model.featurizer(x)
            p = self.model.fc(z)
            loss = self.loss(z, p)
            if loss is None:
                return p, 0.0
            self.opt.zero_grad(set_to_none=True)
            loss.backward()
            self.opt.step()
        return p, loss.item()


class BN:
    def __init__(self, model):
        self.model = model.train()

    def batch(self, x):
        with torch.no_grad():
            return self.model(x), 0.0


class BNAlpha:
    """Statistics mixed by hand in every layer; variance of the batch unbiased."""

    def __init__(self, model, alpha):
        self.model = model.eval()
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.forward = lambda x, m=m: F.batch_norm(
                    x, (1 - alpha) * m.running_mean + alpha * x.mean((0, 2, 3)),
                    (1 - alpha) * m.running_var + alpha * x.var((0, 2, 3), unbiased=True), m.weight, m.bias)

    def batch(self, x):
        with torch.no_grad():
            return self.model(x), 0.0


class Tent(Steps):
    def loss(self, z, p):
        return entropy(p).mean()


class PL(Steps):
    beta = 0.5

    def loss(self, z, p):
        conf, label = p.softmax(1).max(1)
        keep = conf > self.beta
        return F.cross_entropy(p[keep], label[keep]) if keep.any() else None


class ShotIM(Steps):
    def loss(self, z, p):
        m = p.softmax(1).mean(0)
        return entropy(p).mean() + (m * torch.log(m + 1e-5)).sum()


class Bank:
    def __init__(self, fc, k):
        with torch.no_grad():
            w = fc.weight.detach().clone()
            self.k, self.rows = k, w[:0]
            self.ent, self.label, self.score = w[:0, 0], torch.zeros(0, dtype=torch.long), w[:0, :CLASSES]
            self.append(w, fc(w))

    def append(self, z, p):
        self.rows = torch.cat([self.rows, z])
        self.ent = torch.cat([self.ent, entropy(p)])
        self.label = torch.cat([self.label, p.argmax(1)])
        self.score = torch.cat([self.score, p.softmax(1)])

    def select(self, stop):
        """Each class's rows by entropy, up to the slice's end."""
        keep = []
        for c in range(CLASSES):
            mine = torch.nonzero(self.label == c)[:, 0]
            keep.append(mine[torch.sort(self.ent[mine], stable=True)[1]][:stop])
        keep = torch.cat(keep)
        self.rows, self.ent, self.label, self.score = (t[keep] for t in (self.rows, self.ent, self.label, self.score))

    def prototypes(self):
        return F.one_hot(self.label, CLASSES).double().t() @ F.normalize(self.rows, dim=1)


class T3A:
    def __init__(self, model, k):
        self.model, self.bank = model.eval(), Bank(model.fc, k)

    @torch.no_grad()
    def batch(self, x):
        z = self.model.featurizer(x)
        self.bank.append(z, self.model.fc(z))
        self.bank.select(self.bank.k)
        return z @ F.normalize(self.bank.prototypes(), dim=1).t(), 0.0


class TSDOfficial(Steps):
    """As the authors' code computes it: L1 norms, softmax of a softmax, the local loss with its sign."""

    def __init__(self, model, k, lam=0.0, hard="", tau=1.0, which="all", lr=1e-4):
        super().__init__(model, which, "adam", lr)
        self.bank, self.lam, self.hard, self.tau = Bank(model.fc, k), lam, hard, tau

    def loss(self, z, p):
        with torch.no_grad():
            self.bank.append(z, p)
            self.bank.select(self.bank.k)
            protos = self.bank.prototypes()
            scores = p.softmax(1)
        d = F.normalize(z, p=1, dim=1) @ F.normalize(protos, p=1, dim=1).t() / self.tau
        if self.hard:
            loss = F.cross_entropy(d, (scores if self.hard == "linear" else d).argmax(1))
        else:
            q = d.softmax(1)
            loss = (q * (d.log_softmax(1) - scores.log_softmax(1))).sum(1).mean()
        return loss + self.lam * self.local(z.detach(), p) if self.lam else loss

    def local(self, z, p):
        supports = F.normalize(self.bank.rows, dim=1)
        sim, near = (F.normalize(z, p=1, dim=1) @ F.normalize(supports, p=1, dim=1).t()).topk(min(3, len(supports)), 1)
        return (-sim * ((p.unsqueeze(1) - self.bank.score[near]) ** 2).sum(-1)).mean()


class TSDCorrected(Steps):
    def __init__(self, model, k, lam, tau=1.0, lr=1e-4):
        super().__init__(model, "all", "adam", lr)
        self.bank, self.lam, self.tau = Bank(model.fc, k), lam, tau

    def loss(self, z, p):
        with torch.no_grad():
            unit = F.normalize(z, dim=1)
            sim, near = (unit @ F.normalize(self.bank.rows, dim=1).t()).topk(3, 1)
            target = self.bank.score[near]
            self.bank.append(z, p)
            self.bank.select(self.bank.k)
            protos = F.normalize(self.bank.prototypes(), dim=1)
        d = F.normalize(z, dim=1) @ protos.t() / self.tau
        keep = d.argmax(1) == p.argmax(1)
        if not keep.any():
            return None
        t = p.detach()
        kl = (t.softmax(1) * (t.log_softmax(1) - d.log_softmax(1))).sum(1)
        local = (sim * ((p.softmax(1).unsqueeze(1) - target) ** 2).sum(-1)).mean(1)
        return (kl + self.lam * local)[keep].mean()


class EATA(Steps):
    def __init__(self, model, e_margin, d_margin, beta):
        super().__init__(model, "affine", "sgd", 0.01)
        self.e0, self.d_margin, self.beta, self.mean = e_margin * math.log(CLASSES), d_margin, beta, None
        stats = {n: b.clone() for n, b in model.named_buffers()}
        self.params = affine(model)
        self.w0 = [p.detach().clone() for p in self.params]
        self.fisher = [torch.zeros_like(p) for p in self.params]
        for i in range(2):
            p = model(images(100 + i, N))
            model.zero_grad(set_to_none=True)
            F.cross_entropy(p, p.argmax(1)).backward()
            for f, q in zip(self.fisher, self.params):
                f += q.grad ** 2 / 2
        for n, b in model.named_buffers():
            b.copy_(stats[n])

    def loss(self, z, p):
        h, s = entropy(p), p.softmax(1)
        keep = h < self.e0
        if self.mean is not None:
            keep &= F.cosine_similarity(self.mean[None], s, dim=1).abs() < self.d_margin
        if not keep.any():
            return None
        now = s[keep].detach().mean(0)
        self.mean = now if self.mean is None else 0.9 * self.mean + 0.1 * now
        pull = sum((f * (q - w) ** 2).sum() for f, q, w in zip(self.fisher, self.params, self.w0))
        return (torch.exp(self.e0 - h.detach()) * h)[keep].mean() + self.beta * pull


class SAR:
    def __init__(self, model, margin, rho, reset):
        self.model, self.e0, self.rho, self.bound, self.ema = model.train(), margin * math.log(CLASSES), rho, reset, None
        self.params = affine(model, "layer4")
        self.make = lambda: optimiser(self.params, "sgd", 0.01)
        self.opt, self.start = self.make(), copy.deepcopy(model.state_dict())

    def batch(self, x):
        p = self.model(x)
        h = entropy(p)
        sure = h < self.e0
        if not sure.any():
            return p, 0.0
        self.opt.zero_grad(set_to_none=True)
        h[sure].mean().backward()
        with torch.no_grad():
            length = torch.sqrt(sum((q.grad ** 2).sum() for q in self.params))
            before = [q.clone() for q in self.params]
            for q in self.params:
                q.add_(q.grad, alpha=(self.rho / (length + 1e-12)).item())
        stats = {n: b.clone() for n, b in self.model.named_buffers()}
        h = entropy(self.model(x))
        sure = sure & (h < self.e0)
        loss = h[sure].mean()
        self.opt.zero_grad(set_to_none=True)
        if sure.any():
            loss.backward()
        with torch.no_grad():
            for q, w in zip(self.params, before):
                q.copy_(w)
            for n, b in self.model.named_buffers():
                b.copy_(stats[n])
        if not sure.any():
            return p, 0.0
        self.opt.step()
        self.ema = loss.item() if self.ema is None else 0.9 * self.ema + 0.1 * loss.item()
        if self.ema < self.bound:
            self.model.load_state_dict(self.start)
            self.opt, self.ema = self.make(), None
        return p, loss.item()


class LAME:
    def __init__(self, model, affinity, knn=5, lam=1.0):
        self.model, self.affinity, self.knn, self.lam = model.eval(), affinity, knn, lam

    @torch.no_grad()
    def batch(self, x):
        z = self.model.featurizer(x)
        log_p = torch.log(self.model.fc(z).softmax(1) + 1e-10)
        z = F.normalize(z, dim=1)
        d, n = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist"), len(z)
        if self.affinity == "rbf":
            sigma = d.topk(min(self.knn, n), -1, largest=False)[0][:, -1].mean()
            w = torch.exp(-d ** 2 / (2 * sigma ** 2))
        elif self.affinity == "knn":
            near = d.topk(min(self.knn + 1, n), -1, largest=False)[1][:, 1:]
            w = torch.zeros(n, n, dtype=z.dtype).scatter_(-1, near, 1.0)
        else:
            w = z @ z.t()
        y, old = log_p.softmax(1), float("inf")
        for i in range(100):
            wy = w @ y
            y = (log_p + self.lam * wy).softmax(1)
            e = (y * (-log_p - self.lam * wy + torch.log(y.clip(1e-20)))).sum().item()
            if i > 1 and abs(e - old) <= 1e-8 * abs(old):
                break
            old = e
        return torch.log(y), 0.0


CASES = {
    "bn": BN,
    "bn-alpha": lambda m: BNAlpha(m, 0.2),
    "tent": Tent,
    "tent-sgd-3-steps": lambda m: Tent(m, opt="sgd", lr=0.001, steps=3),
    "tent-episodic": lambda m: Tent(m, steps=2, episodic=True),
    "pl": lambda m: PL(m, "all", lr=1e-4),
    "plc": lambda m: PL(m, "head"),
    "shot-im": lambda m: ShotIM(m, "body", lr=1e-4),
    "t3a": lambda m: T3A(m, 3),
    "tsd-official": lambda m: TSDOfficial(m, 3),
    "tsd-official-local": lambda m: TSDOfficial(m, 3, lam=0.1),
    "tsd-official-all": lambda m: TSDOfficial(m, -1),
    "tsd-official-affine": lambda m: TSDOfficial(m, 100, which="affine"),
    "tsd-official-hard": lambda m: TSDOfficial(m, 3, hard="linear", tau=0.5),
    "tsd-official-own": lambda m: TSDOfficial(m, 3, hard="prototypes", tau=0.1),
    "tsd-corrected": lambda m: TSDCorrected(m, 3, 0.5),
    "tsd-corrected-tau": lambda m: TSDCorrected(m, 100, 0.5, tau=0.1),
    "eata": lambda m: EATA(m, 0.9, 0.98, 20.0),
    "sar": lambda m: SAR(m, 0.9, 0.05, 0.2),
    "sar-resets": lambda m: SAR(m, 0.9, 0.05, 10.0),
    "lame-rbf": lambda m: LAME(m, "rbf"),
    "lame-knn": lambda m: LAME(m, "knn", 3),
    "lame-linear": lambda m: LAME(m, "linear", lam=0.5),
}


def describe(out, words, x):
    x = x.detach().double().flatten()
    sampled = [x[i * len(x) // 8].item() for i in range(8)]
    print(*words, *(f"{v:.8g}" for v in [x.norm().item(), *sampled]), file=out)


def deltas(out, name, batches, model, start):
    for tensor, x in model.state().items():
        moved = (x - start[tensor]).double()
        if tensor in WATCHED:
            describe(out, (name, "delta", batches, tensor), moved)


def run(out, name, make):
    model = Classifier()
    start = model.state()
    adapter = make(model)
    for b in range(BATCHES):
        logits, loss = adapter.batch(images(b, LAST if b == BATCHES - 1 else N))
        if b in (0, BATCHES - 1):
            describe(out, (name, "logits", b), logits)
            print(name, "loss", b, f"{loss:.9g}", file=out)
            deltas(out, name, b + 1, model, start)


def main():
    torch.set_num_threads(1)
    if len(sys.argv) > 1:
        for name in sys.argv[1:]:
            run(sys.stdout, name, CASES[name])
        return
    with open("tests/data/adapt.txt", "w") as out:
        for name, make in CASES.items():
            run(out, name, make)


main()
