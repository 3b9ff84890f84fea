#!/usr/bin/python3
"""TSD in PyTorch: the peer that `protea bench tsd` is compared with.

128 images of 32 pixels, ResNet-18 with a 3x3 stem, ten classes; what the authors' code computes with its defaults (100 rows a
class, lam 0, Adam on all parameters), its local loss left out, which lam 0 makes nothing of.
"""
import torch
import torch.nn.functional as F

import peer

CLASSES, PER_CLASS = 10, 100


class Bank:
    """Rows, entropies and labels; each class's PER_CLASS rows of least entropy."""

    def __init__(self, dim):
        self.rows, self.entropy, self.labels = torch.zeros(0, dim), torch.zeros(0), torch.zeros(0, dtype=torch.long)

    @torch.no_grad()
    def add(self, z, p):
        self.rows = torch.cat([self.rows, z])
        self.entropy = torch.cat([self.entropy, -(p.softmax(1) * p.log_softmax(1)).sum(1)])
        self.labels = torch.cat([self.labels, p.argmax(1)])
        keep = []
        for c in range(CLASSES):
            mine = torch.nonzero(self.labels == c)[:, 0]
            keep.append(mine[torch.sort(self.entropy[mine])[1]][:PER_CLASS])
        keep = torch.cat(keep)
        self.rows, self.entropy, self.labels = self.rows[keep], self.entropy[keep], self.labels[keep]

    @torch.no_grad()
    def prototypes(self):
        return F.one_hot(self.labels, CLASSES).float().t() @ F.normalize(self.rows, dim=1)


def make_step(args):
    net, fc = peer.small_resnet18(), torch.nn.Linear(512, CLASSES)
    net = net.to(memory_format=peer.layout(args)).train()
    optimizer = torch.optim.Adam([*net.parameters(), *fc.parameters()], 1e-4)
    bank = Bank(512)
    bank.add(fc.weight.detach(), fc(fc.weight).detach())
    x = torch.randn(128, 3, 32, 32).contiguous(memory_format=peer.layout(args))

    def step():
        with peer.autocast(args):
            z = net(x)
        z = z.float()
        p = fc(z)
        bank.add(z.detach(), p.detach())
        d = F.normalize(z, p=1, dim=1) @ F.normalize(bank.prototypes(), p=1, dim=1).t()
        s = p.detach().softmax(1)
        loss = (d.softmax(1) * (d.log_softmax(1) - s.log_softmax(1))).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    peer.run(__doc__, make_step)
