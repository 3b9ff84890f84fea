/* Weights of 1x1 convolutions between their plain form (outs,ins) and tiles. */
#include "backend/cpu/simd.h"
#include "backend/cpu/weight_tiles.h"

/* Numbers of a and b in turn: of their lower halves, of their upper ones. */
#if PROTEA_LANES == 16
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define UPPER(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif PROTEA_LANES == 8
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOWER(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define UPPER(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* Rows to columns. An element's place is the bits of its row, then of its column; one round, which mixes rows half a tile apart,
 * moves them round by one, so that after as many rounds as a row has bits the two have changed places. */
SIMD_INLINE void turn(vf row[LANES])
{
#pragma GCC unroll 4
    for (int round = 1; round < LANES; round *= 2) {
        vf mixed[LANES];
#pragma GCC unroll 8
        for (int r = 0; r < LANES / 2; r++) {
            mixed[2 * r] = LOWER(row[r], row[r + LANES / 2]);
            mixed[2 * r + 1] = UPPER(row[r], row[r + LANES / 2]);
        }
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++)
            row[r] = mixed[r];
    }
}

SIMD_INLINE void store_by_twos(uint16_t *to, vf a, vf b)
{
    vu both = __builtin_convertvector(narrow(a), vu) | __builtin_convertvector(narrow(b), vu) << 16;
    memcpy(to, &both, sizeof both);
}

/* LANES rows, `stride` numbers apart. */
SIMD_INLINE void load_rows(vf row[LANES], const float *from, int64_t stride, bool turned)
{
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++)
        row[r] = load(from, r * stride, LANES, PROTEA_F32);
    if (turned)
        turn(row);
}

/* A tile at `packed` of what begins at w. */
SIMD_INLINE void pack_tile(void *packed, const float *w, int64_t ins, bool turned, bool bf16)
{
    vf row[LANES];
    load_rows(row, w, ins, turned);
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r += 1 + bf16)
        if (bf16)
            store_by_twos((uint16_t *)packed + r * LANES, row[r], row[r + 1]);
        else
            store(packed, r * LANES, LANES, PROTEA_F32, row[r]);
}

SIMD_INLINE void add_tile(float *w, int64_t ins, const float *packed, bool turned)
{
    vf row[LANES];
    load_rows(row, packed, LANES, turned);
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++)
        store(w, r * ins, LANES, PROTEA_F32, load(w, r * ins, LANES, PROTEA_F32) + row[r]);
}

/* The tiles of LANES outputs. */
SIMD_INLINE void pack_outs(char *packed, const float *w, const protea_weight_tiles *t, int64_t out, bool turned, bool bf16)
{
    int64_t bytes = bf16 ? sizeof(uint16_t) : sizeof(float);
    for (int64_t in = 0; in < t->ins / LANES; in++)
        pack_tile(packed + (out * t->out_step + in * t->in_step) * bytes, w + (out * t->ins + in) * LANES, t->ins, turned, bf16);
}

static void pack(void *packed, const float *w, const protea_weight_tiles *t)
{
#pragma omp parallel for schedule(static)
    for (int64_t out = 0; out < t->outs / LANES; out++)
        if (t->bf16 && t->turned)
            pack_outs(packed, w, t, out, true, true);
        else if (t->bf16)
            pack_outs(packed, w, t, out, false, true);
        else if (t->turned)
            pack_outs(packed, w, t, out, true, false);
        else
            pack_outs(packed, w, t, out, false, false);
}

SIMD_INLINE void add_outs(float *w, const float *packed, const protea_weight_tiles *t, int64_t out, bool turned)
{
    for (int64_t in = 0; in < t->ins / LANES; in++)
        add_tile(w + (out * t->ins + in) * LANES, t->ins, packed + out * t->out_step + in * t->in_step, turned);
}

static void add(float *w, const float *packed, const protea_weight_tiles *t)
{
#pragma omp parallel for schedule(static)
    for (int64_t out = 0; out < t->outs / LANES; out++)
        t->turned ? add_outs(w, packed, t, out, true) : add_outs(w, packed, t, out, false);
}

extern const protea_weight_tiles_ops SIMD_NAME(protea_weight_tiles);
const protea_weight_tiles_ops SIMD_NAME(protea_weight_tiles) = { .lanes = LANES, .pack = pack, .add = add };
