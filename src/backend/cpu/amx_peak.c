/* How fast the matrix unit is. */
#include "backend/cpu/amx.h"

#if defined(__x86_64__)

#include "backend/cpu/amx_tiles.h"
#include "backend/cpu/peak.h"

enum { ROUNDS = 200000, PRODUCTS = 4 };

static void loop(void)
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

double protea_amx_peak(void)
{
    return protea_peak_of(loop, 2.0 * TILE * TILE * STEP * PRODUCTS * ROUNDS);
}

#else

double protea_amx_peak(void)
{
    return 0;
}

#endif
