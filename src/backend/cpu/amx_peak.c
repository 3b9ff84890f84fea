/* How fast the matrix unit is when it need not wait for memory: what `protea bench conv` measures shares of. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include "backend/cpu/amx_tiles.h"
#include "base/clock.h"
#include "base/parallel.h"

/* One run, which something else on the machine may disturb. */
static double run_once(void)
{
    enum { ROUNDS = 200000, PRODUCTS = 4 };
    const double flops = 2.0 * TILE * TILE * STEP * PRODUCTS * ROUNDS * protea_threads();
    double started = protea_seconds();
#pragma omp parallel
    {
        configure_tiles();
        for (int i = 0; i < ROUNDS; i++) {
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        _tile_release();
    }
    return flops / (protea_seconds() - started) / 1e9;
}

double protea_amx_peak(void)
{
    enum { RUNS = 10 };
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double rate = run_once();
        best = rate > best ? rate : best;
    }
    return best;
}

#else

double protea_amx_peak(void)
{
    return 0;
}

#endif
