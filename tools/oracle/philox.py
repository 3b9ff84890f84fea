"""The counter-based generator of src/base/rng.c, to the same numbers: for oracles of what is drawn."""
import math

MASK = 0xFFFFFFFF
INIT, SHUFFLE, KMEANS, METHOD = 1, 2, 6, 7  # protea_rng_use


class Philox:
    def __init__(self, seed, use, a, b, c):
        self.key = (seed & MASK, seed >> 32 ^ use << 24 ^ a)
        self.counter = [0, c, b & MASK, b >> 32]
        self.block = []

    def u32(self):
        if not self.block:
            c0, c1, c2, c3 = self.counter
            k0, k1 = self.key
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
                c0, c1, c2, c3 = p1 >> 32 ^ c1 ^ k0, p1 & MASK, p0 >> 32 ^ c3 ^ k1, p0 & MASK
                k0, k1 = k0 + 0x9E3779B9 & MASK, k1 + 0xBB67AE85 & MASK
            self.block = [c0, c1, c2, c3]
            self.counter[0] += 1
        return self.block.pop()

    def below(self, n):
        limit = (1 << 64) - 1 - ((1 << 64) - 1) % n
        while True:
            high = self.u32()
            draw = high << 32 | self.u32()
            if draw < limit:
                return draw % n

    def uniform_double(self):
        high = self.u32() >> 5
        return (high << 26 | self.u32() >> 6) / 2 ** 53

    def normal(self):
        """Before it is rounded to f32."""
        u = 1 - self.uniform_double()
        return math.sqrt(-2 * math.log(u)) * math.cos(6.283185307179586 * self.uniform_double())

    def shuffle(self, order):
        for i in range(len(order) - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]

    def permutation(self, n):
        order = list(range(n))
        self.shuffle(order)
        return order


def draw_negatives(rng, count, positive, n_clusters):
    """As src/cluster/negatives.c without replacement."""
    room = [c for c in range(n_clusters) if c not in set(positive)]
    for i in range(min(count, len(room))):
        j = i + rng.below(len(room) - i)
        room[i], room[j] = room[j], room[i]
    return room[:count]
