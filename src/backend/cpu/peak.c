/* Timing the loops of peak.h, and which one is whose. */
#include "backend/cpu/peak.h"

#include "backend/cpu/amx.h"
#include "backend/cpu/bf16_vectors.h"
#include "backend/cpu/cpu.h"
#include "base/clock.h"
#include "base/parallel.h"

double protea_peak_of(void (*loop)(void), double flops)
{
    enum { RUNS = 10 };
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double started = protea_seconds();
#pragma omp parallel
        loop();
        double rate = flops * protea_threads() / (protea_seconds() - started) / 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

double protea_cpu_peak(const protea_backend *be, protea_dtype dtype)
{
    const protea_cpu *cpu = protea_cpu_of(be);
    if (cpu == NULL)
        return protea_simd_peak(PROTEA_ISA_SSE2);
    if (dtype != PROTEA_BF16 || !be->bf16_pays)
        return protea_simd_peak(cpu->isa);
    return cpu->amx ? protea_amx_peak() : protea_bf16_peak();
}
