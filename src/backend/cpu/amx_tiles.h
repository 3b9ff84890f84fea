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

/* All eight tile registers: 16 rows of 64 bytes. */
static inline void configure_tiles(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = { .palette = 1 };
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = TILE;
    }
    _tile_loadconfig(&config);
}

#endif
