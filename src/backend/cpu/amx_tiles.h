/* What the AMX kernels share. Included only where the compiler has AMX (see isa.cmake). */
#ifndef PROTEA_BACKEND_CPU_AMX_TILES_H
#define PROTEA_BACKEND_CPU_AMX_TILES_H

#include <immintrin.h>
#include <stdint.h>

enum {
    TILE = 16,              /* rows of a tile, and f32 in a row */
    STEP = 32,              /* bf16 in a row: what one tile product sums over */
    TILE_BYTES = 1024,
    TILE_WORDS = 512        /* bf16 in a tile */
};

/* All eight tile registers: 16 rows of 64 bytes. Constant data, because gcc's intrinsic says of only eight of the bytes
 * that they are read, and stores to the others would be left out. */
static inline void configure_tiles(void)
{
    static const struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = { .palette = 1,
                 .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 },
                 .rows = { TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE } };
    _tile_loadconfig(&config);
}

#endif
