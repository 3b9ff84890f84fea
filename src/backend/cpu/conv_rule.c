#include "backend/cpu/conv_rule.h"

#include "backend/cpu/amx.h"
#include "base/parallel.h"

enum { IMAGE_CHANNELS = 8 }; /* maps with fewer are images: planes, which oneDNN's stems read */

int64_t protea_block_rule(protea_dtype dtype, int64_t c, const protea_onednn_isa *isa)
{
    if ((dtype == PROTEA_BF16 && isa->amx) || !isa->avx2) /* without AVX2 only its matrix products are fast: NHWC */
        return c;
    if (c < IMAGE_CHANNELS)
        return 1;
    if (isa->avx512)
        return c % 16 == 0 ? 16 : c;
    return c % 8 == 0 ? 8 : c;
}

/* bf16 on AMX, NHWC. Milliseconds of oneDNN 2.6.3 / of our kernels, medians, 2 cores of a Xeon with AMX at 2.6 GHz,
 * 512 samples (weights packed, gradients added, all counted):
 *
 *                       forward        backward-data    backward-weights
 *   64 ->  64 @32 3x3   15.7 / 17.9    17.7 / 24.9      27.5 / 20.9
 *   64 -> 128 @32 3x3/2  9.2 / 11.0    25.6 / 10.7      36.2 / 17.7
 *   64 -> 128 @32 1x1/2  2.7 /  6.4    10.9 /  7.4      17.1 /  6.0
 *  128 -> 128 @16 3x3   12.9 / 13.8    17.1 / 16.1      32.7 / 14.2
 *  128 -> 256 @16 3x3/2 12.6 /  7.4    24.0 /  8.2      49.5 / 11.2
 *  128 -> 256 @16 1x1/2  1.5 /  2.4     6.7 /  3.8      16.9 /  3.4
 *  256 -> 256 @8  3x3   12.1 / 10.4    18.6 / 11.9      44.0 / 12.0
 *  256 -> 512 @8  3x3/2 17.8 /  6.7    41.9 /  6.5     100.8 / 10.0
 *  256 -> 512 @8  1x1/2  1.1 /  1.7     5.4 /  1.7      22.7 /  2.5
 *  512 -> 512 @4  3x3   40.3 /  8.8    57.9 /  9.1     127.9 / 12.3
 *  512 -> 512 @3  3x3   42.2 /  5.0    57.2 /  5.7           /  6.7  */
static bool amx_wins(const protea_conv_dims *d, protea_conv_pass pass)
{
    switch (pass) {
    case PROTEA_CONV_FORWARD:
        return d->kh > 1 && d->y.c >= 256 && protea_amx_conv_takes(d);
    case PROTEA_CONV_BACKWARD_DATA:
        return (d->stride > 1 || d->x.c >= 128) && protea_amx_conv_takes(d);
    case PROTEA_CONV_BACKWARD_WEIGHTS:
        return protea_amx_backward_weights_takes(d);
    }
    return false;
}

/* f32 on AVX-512: Winograd F(4x4,3x3) has a quarter of the products and beats direct on every 3x3 of stride 1 with blocks
 * of 16 channels, all passes (1.3 to 2.5 times on a Zen 4 with 2 cores, batch 128: 242, 234, 273 ms for ResNet-18's against
 * 612, 615, 776); a stem of 3 channels is four times slower with it. */
protea_conv_algorithm protea_onednn_rule(const protea_conv_dims *d, const protea_onednn_isa *isa)
{
    bool winograd = isa->avx512 && d->x.dtype == PROTEA_F32 && d->kh == 3 && d->kw == 3 && d->stride == 1 &&
                    d->pad == 1 && d->x.block == 16 && d->y.block == 16;
    return winograd ? PROTEA_CONV_WINOGRAD : PROTEA_CONV_DIRECT;
}

/* Gradients of weights summed up on vectors, GFLOP/s of oneDNN / of ours, the fastest of some, 2 cores. Of a Zen 4 whose bf16
 * products reach 470 on registers, and of a Xeon where those reach 165, f32's 340 (with maps in bf16, direct f32):
 *
 *                      samples   Zen 4, bf16    Xeon, bf16    Xeon, f32
 *    16 ->  32 @32 3x3/2   512   132 / 225       91 /  77     166 /  77
 *    32 ->  64 @32 3x3/2   512                  119 / 150     168 / 140
 *    64 -> 128 @32 3x3/2   512   160 / 256      133 / 201     240 / 203
 *   128 -> 256 @16 3x3/2   512   169 / 311      124 / 188     247 / 199
 *   256 -> 512 @8  3x3/2   512   177 / 352      101 / 143     105 / 141
 *   256 -> 512 @5  3x3/2  1024   144 / 376       55 / 161      89 / 156
 *   512 -> 512 @14 3x3/2    16                  130 / 231     219 / 229
 *   128 -> 256 @16 3x3/2     4                  142 / 185     248 / 187
 *   256 -> 512 @8  3x3/2     2                   77 /  62      92 /  62
 *    64 -> 128 @32 1x1/2   512                  110 /  94     187 /  85
 *   256 -> 512 @8  1x1/2   512   225 / 157      121 / 122     228 / 157
 *   256 -> 512 @8  1x1/2     2    65 /  49
 *   128 -> 256 @16 1x1/2     4   222 / 209
 *   256 -> 256 @28 1x1/2    16   338 / 360
 *   512 -> 512 @14 1x1/2    16   200 / 281
 *
 * With stride 1 the two are alike on maps of eight pixels and more, and Winograd is faster. Those of 1x1 are with oneDNN's
 * reorder of the gradient; with weight_tiles.h in its place oneDNN is at most 4 % slower than ours (with 1,024 channels and
 * more), and mostly faster. */
static protea_conv_own direct_weights_rule(const protea_conv_dims *d, const protea_cpu *cpu)
{
    enum { FEW_PIXELS = 256, FEW_CHANNELS = 32, SMALL_MAP = 4 };
    if (d->stride == 1 || d->kh * d->kw == 1 || d->y.n * d->y.h * d->y.w < FEW_PIXELS)
        return PROTEA_OWN_NONE;
    if (d->x.dtype == PROTEA_F32)
        return d->y.w <= SMALL_MAP ? PROTEA_OWN_DIRECT_F32 : PROTEA_OWN_NONE;
    if (!cpu->slow_bf16)
        return PROTEA_OWN_DIRECT_BF16;
    return d->x.c >= FEW_CHANNELS ? PROTEA_OWN_DIRECT_F32 : PROTEA_OWN_NONE;
}

/* ---- our own Winograd */

/* Share of the tiles' outputs that lie on the map. */
static double covered(const protea_map *m, int tile)
{
    int64_t down = (m->h + tile - 1) / tile, across = (m->w + tile - 1) / tile;
    return (double)(m->h * m->w) / (double)(down * across * tile * tile);
}

static double tiles_of(const protea_map *m, int tile)
{
    return (double)(m->n * ((m->h + tile - 1) / tile) * ((m->w + tile - 1) / tile));
}

/* How many times as fast as oneDNN's direct bf16 a pass is expected to be: fitted to one core of a Zen 5, GFLOP/s of the sum over
 * nine taps with direct / F2x2 / F4x4 (weights transformed, gradients added, all counted):
 *
 *                    samples     forward             backward-data       backward-weights
 *   16 ->  16 @32      32     292 /  284 /  470   275 /  305 /  447   258 /  179 /  302
 *   32 ->  32 @32      32     341 /  423 /  512   336 /  385 /  556   232 /  319 /  452
 *   64 ->  64 @32      32     410 /  524 /  797   369 /  535 /  796   240 /  398 /  583
 *   64 ->  64 @20      64     413 /  580 /  809   378 /  575 /  817   316 /  516 /  623
 *  128 -> 128 @16      64     411 /  633 /  978   405 /  661 / 1006   322 /  464 /  705
 *  128 -> 128 @10      64     462 /  642 /  753   418 /  610 /  794   342 /  521 /  634
 *  256 -> 256 @14      16     390 /  560 /  594   311 /  596 /  729   299 /  462 /  616
 *  256 -> 256 @8      128     361 /  714 / 1035   335 /  702 /  945   305 /  520 /  770
 *  256 -> 256 @5      128     461 /  490 /  384   384 /  454 /  418   248 /  363 /  331
 *  256 -> 256 @3      128     424 /  362 /  414   387 /  337 /  393   149 /  260 /  373
 *  512 -> 512 @7        8     322 /  278 /  214   219 /  274 /  206   190 /  287 /  380
 *  512 -> 512 @4      256     428 /  562 /  831   333 /  637 /  854   185 /  418 /  529
 *  512 -> 512 @4       16     311 /  269 /  164   279 /  256 /  179   141 /  252 /  252
 *  512 -> 512 @2      256     354 /  555 /  199   244 /  477 /  184    83 /  463 /  147
 *
 * Transforms weigh less the more channels there are, those of weights the more tiles; outputs off the map are computed in
 * vain. oneDNN's gradient of weights slows down on maps below six pixels.
 *
 * What few tiles cost (fit.few) is fitted to two cores of a Zen 4, with smaller blocks where tiles are few and weights fetched in
 * advance; how many times as fast as direct are F2x2 / F4x4, all counted, with the weights in cache (cold they gain less):
 *
 *                    samples     forward         backward-data
 *  256 -> 256 @7        4      1.02 / 0.94       1.20 / 1.09
 *  256 -> 256 @7        8      1.12 / 1.27       1.35 / 1.51
 *  256 -> 256 @7       16      1.19 / 1.59       1.43 / 1.93
 *  512 -> 512 @7        8      1.13 / 0.99       1.31 / 1.16
 *  512 -> 512 @7       16      1.21 / 1.33       1.45 / 1.60
 *  512 -> 512 @7       32      1.23 / 1.48       1.50 / 1.82
 *  512 -> 512 @4       16      1.11 / 0.84       1.06 / 0.78
 *  512 -> 512 @4       32      1.26 / 1.03       1.20 / 0.93
 *  512 -> 512 @4       64      1.31 / 1.48       1.29 / 1.40
 *  256 -> 256 @5       32      1.00 / 0.87       1.02 / 0.90
 *  512 -> 512 @3       64      0.68 / 0.74       0.67 / 0.70
 *
 * F4x4 of bf16 maps with products in f32: fitted to one core of a Xeon whose bf16 products reach 82 GFLOP/s, f32's 172 (cpu.h,
 * slow_bf16); direct / F2x2 / F4x4 in bf16 / F4x4 in f32:
 *
 *   16 ->  16 @32      32    86/ 139/225/253   86/138/224/268   82/ 99/162/231
 *   64 ->  64 @32      32    90/ 160/280/441   89/153/281/417   78/147/243/443
 *  128 -> 128 @16      64    94/ 170/299/445   83/155/250/327   88/165/246/375
 *  256 -> 256 @14      16    93/ 175/230/311   82/154/193/252   78/159/220/324
 *  256 -> 256 @8      128    91/ 158/264/312   86/163/266/336   75/154/267/372
 *  256 -> 256 @5      128   104/ 126/118/179  109/121/115/177   74/111/111/141
 *  256 -> 256 @3      128   132/  99/150/204  131/ 98/147/206   55/ 95/152/241
 *  512 -> 512 @7        8    91/ 118/136/ 81   89/ 94/113/ 80   65/123/187/288
 *  512 -> 512 @4      256   113/ 151/287/348  121/180/280/328   92/169/281/401
 *  512 -> 512 @4       16   109/ 147/180/148  106/131/168/112   80/146/214/299
 *  512 -> 512 @2      256   167/ 168/ 72/ 89  171/166/ 71/ 86   49/167/ 72/106 */
typedef struct fit {
    int tile;
    double best, best_weights;  /* with any number of channels and tiles; of backward-weights */
    double few;                 /* tiles that half of it is lost with; backward-weights: 16 */
} fit;
static const fit fit_of_f2_bf16 = { 2, 1.7, 1.8, 45 }, fit_of_f4_bf16 = { 4, 2.6, 2.6, 35 }, fit_of_f4_f32 = { 4, 4.5, 4.5, 110 };

static double expected_gain(const protea_conv_dims *d, protea_conv_pass pass, fit f)
{
    bool weights = pass == PROTEA_CONV_BACKWARD_WEIGHTS;
    double channels = (double)(d->x.c < d->y.c ? d->x.c : d->y.c), tiles = tiles_of(&d->x, f.tile);
    double best = weights ? f.best_weights : f.best, few = weights ? 16 : f.few;
    double slow = weights && d->x.w < 6 ? 6.0 / (double)d->x.w : 1;
    return best * slow * channels / (channels + 16) * covered(&d->x, f.tile) * tiles / (tiles + few);
}

typedef struct choice {
    protea_conv_own own;
    double gain;
} choice;

/* The better of the two. Each thread should have a full round of tiles. */
static choice better(choice so_far, const protea_conv_dims *d, protea_conv_pass pass, protea_conv_own own, fit f)
{
    double gain = expected_gain(d, pass, f);
    return gain > so_far.gain && tiles_of(&d->x, f.tile) >= 14 * protea_threads() ? (choice){ own, gain } : so_far;
}

/* Of maps in bf16: F4x4 in bf16 where less exact products are wanted, in f32 where bf16's are slow. */
static protea_conv_own bf16_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_cpu *cpu, bool fast)
{
    choice best = { PROTEA_OWN_NONE, 1 };
    if (protea_own_takes(cpu, PROTEA_OWN_F2_BF16, d))
        best = better(best, d, pass, PROTEA_OWN_F2_BF16, fit_of_f2_bf16);
    if (fast && protea_own_takes(cpu, PROTEA_OWN_F4_BF16, d))
        best = better(best, d, pass, PROTEA_OWN_F4_BF16, fit_of_f4_bf16);
    if (cpu->slow_bf16 && protea_own_takes(cpu, PROTEA_OWN_F4_F32, d))
        best = better(best, d, pass, PROTEA_OWN_F4_F32, fit_of_f4_f32);
    return best.own;
}

/* Our own F4x4 in f32, on the Zen 5. AVX-512: beside oneDNN's Winograd 1.4 to 3.5 times as fast below 256 channels, as fast at
 * 256, slower above. AVX2: beside oneDNN's direct, which does 70 to 115 GFLOP/s, 2.2 to 3.7 times as fast on maps of eight pixels
 * and more. */
static bool f32_wins(const protea_conv_dims *d, protea_conv_pass pass)
{
    static const fit fit_of_avx2 = { 4, 2.6, 2.6, 70 }; /* few tiles: as on the Zen 5, not measured anew */
    enum { LANES_OF_AVX512 = 16, FEW_CHANNELS = 256 * 256 };
    return d->x.block == LANES_OF_AVX512 ? d->x.c * d->y.c < FEW_CHANNELS : expected_gain(d, pass, fit_of_avx2) > 1;
}

protea_conv_own protea_conv_rule(const protea_conv_dims *d, protea_conv_pass pass, const protea_cpu *cpu, protea_winograd_use use)
{
    if (cpu->amx && amx_wins(d, pass))
        return PROTEA_OWN_AMX;
    protea_conv_own direct = pass == PROTEA_CONV_BACKWARD_WEIGHTS ? direct_weights_rule(d, cpu) : PROTEA_OWN_NONE;
    if (direct != PROTEA_OWN_NONE && protea_own_takes(cpu, direct, d))
        return direct;
    if (use == PROTEA_WINOGRAD_NONE)
        return PROTEA_OWN_NONE;
    if (d->x.dtype == PROTEA_BF16)
        return bf16_rule(d, pass, cpu, use == PROTEA_WINOGRAD_FAST);
    return protea_own_takes(cpu, PROTEA_OWN_F4_F32, d) && f32_wins(d, pass) ? PROTEA_OWN_F4_F32 : PROTEA_OWN_NONE;
}
