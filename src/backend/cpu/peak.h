/* How fast products are when they need not wait for memory: what `protea bench` measures shares of. Each instruction set has a
 * loop of products on registers. */
#ifndef PROTEA_BACKEND_CPU_PEAK_H
#define PROTEA_BACKEND_CPU_PEAK_H

#include "backend/kernels.h"

/* GFLOP/s of all threads together when each runs the loop, which does `flops`; the best of some runs, because something else
 * on the machine may disturb one. */
double protea_peak_of(void (*loop)(void), double flops);

/* GFLOP/s of f32 products and sums on vectors of this instruction set. */
double protea_simd_peak(protea_isa isa);

#endif
