/* The weights of Winograd's convolution: transformed, rounded and laid out for its products (winograd_conv.c has the layout). */
#ifndef PROTEA_BACKEND_CPU_WINOGRAD_CONV_PACK_H
#define PROTEA_BACKEND_CPU_WINOGRAD_CONV_PACK_H

#include "backend/cpu/winograd_conv_job.h"

/* to (tap, LANES inputs, LANES outputs) of inputs from `in` on and outputs from `out` on. */
static inline void gather_weights(float *to, const job *k, int64_t in, int64_t out)
{
    int64_t in_step = 9 * (k->turned ? k->out->c : 1), out_step = 9 * (k->turned ? 1 : k->in->c);
    for (int64_t o = 0; o < LANES; o++)
        for (int64_t i = 0; i < LANES; i++) {
            const float *from = k->w + (in + i) * in_step + (out + o) * out_step;
            for (int64_t tap = 0; tap < 9; tap++)
                to[((k->turned ? 8 - tap : tap) * LANES + i) * LANES + o] = from[tap];
        }
}

/* u (position) of one input's weights; taps lie LANES * LANES apart. */
SIMD_INLINE void transform_kernel(vf *u, const float *taps, int m)
{
    vf half[3 * MAX_SIDE];
#pragma GCC unroll 3
    for (int column = 0; column < 3; column++) {
        vf g[3];
#pragma GCC unroll 3
        for (int row = 0; row < 3; row++)
            g[row] = load(taps, (row * 3 + column) * LANES * LANES, LANES, PROTEA_F32);
        transform_weights(half + column * MAX_SIDE, g, m);
    }
#pragma GCC unroll 6
    for (int row = 0; row < m + 2; row++) {
        vf g[3] = { half[row], half[MAX_SIDE + row], half[2 * MAX_SIDE + row] };
        transform_weights(u + row * (m + 2), g, m);
    }
}

/* Where u has LANES outputs from `out` on, of position 0 and the first inputs; what lies between positions and between pairs of
 * inputs. */
typedef struct target {
    word *at;
    int64_t position_step, input_step;
} target;

static inline target target_of(const job *k, int64_t out)
{
    int64_t first = out / OUTPUTS * OUTPUTS, all = outputs_at(k, first);
    panel p = panel_of(out - first, all);
    word *at = k->u + first * k->t.positions * k->in->c + p.first * k->in->c + (out - first - p.first) * PAIR;
    return (target){ at, all * k->in->c, p.width * PAIR };
}

SIMD_INLINE void pack_weights(const job *k, int64_t in, int64_t out, int m)
{
    float taps[9 * LANES * LANES] __attribute__((aligned(64)));
    vf u[2][MAX_SIDE * MAX_SIDE];
    target to = target_of(k, out);
    gather_weights(taps, k, in, out);
    for (int64_t i = 0; i < LANES; i += PAIR) {
        for (int half = 0; half < PAIR; half++)
            transform_kernel(u[half], taps + (i + half) * LANES, m);
        for (int at = 0; at < (m + 2) * (m + 2); at++)
            store_pair(to.at + at * to.position_step + (in + i) / PAIR * to.input_step, u[0][at], u[PAIR - 1][at]);
    }
}

#endif
