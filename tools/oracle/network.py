"""What the oracles of the methods share: the backbone, the crops of a step, and how a run is written down."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from formula import fill


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Backbone(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        for i in range(1, 5):
            stride = 1 if i == 1 else 2
            setattr(self, f"layer{i}", nn.Sequential(Block(widths[i - 1], widths[i], stride), Block(widths[i], widths[i], 1)))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean((2, 3))


def crops(step, n, groups):
    """Noise over 4 x 4 patches of colour of each image's own; groups: (views, size). As tests/support/method_rig.h."""
    patches = fill((n, 3, 4, 4), f"images.{step}")
    out = []
    for g, (views, size) in enumerate(groups):
        patch = torch.arange(size) * 4 // size
        image = patches[:, :, patch][:, :, :, patch]
        out.append((fill((views * n, 3, size, size), f"crops.{step}.{g}", 0, 0.5) + image.repeat(views, 1, 1, 1)).double())
    return out


def describe(out, name, x):
    """A line of a tensor: its norm and eight elements evenly spread over it."""
    x = x.double().flatten()
    sampled = [x[i * len(x) // 8].item() for i in range(8)]
    print(name, *(f"{v:.9g}" for v in [x.norm().item(), *sampled]), file=out)


def describe_module(out, module, rename=lambda name: name):
    """All its tensors but the counters of batches."""
    for name, x in module.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            describe(out, rename(name), x)
