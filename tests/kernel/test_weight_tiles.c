/* Proves: on every instruction set, weights of 1x1 convolutions are laid out in tiles number by number where the layout says, and
 * gradients added from where it says, whichever of the blocks follow each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backend/bf16.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/weight_tiles.h"
#include "kernel/per_isa.h"
#include "kernel/tensors.h"

static const int64_t shapes[][2] = { { 16, 16 }, { 16, 80 }, { 96, 16 }, { 64, 256 }, { 112, 48 } };
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* Tiles of `side`, those of the next inputs or of the next outputs behind each other. */
static protea_weight_tiles tiles_for(const int64_t shape[2], int64_t side, bool ins_follow, bool turned, bool bf16)
{
    int64_t tile = side * side;
    return (protea_weight_tiles){ shape[0], shape[1], ins_follow ? shape[1] / side * tile : tile,
                                  ins_follow ? tile : shape[0] / side * tile, turned, bf16 };
}

/* Where the weight from input i to output o lies. */
static int64_t place_of(const protea_weight_tiles *t, int64_t side, int64_t o, int64_t i)
{
    int64_t row = t->turned ? i % side : o % side, column = t->turned ? o % side : i % side;
    int64_t tile = o / side * t->out_step + i / side * t->in_step;
    return tile + (t->bf16 ? (row / 2 * side + column) * 2 + row % 2 : row * side + column);
}

static void check_pack(const protea_weight_tiles_ops *ops, const protea_weight_tiles *t, const float *w)
{
    int64_t n = t->outs * t->ins;
    void *packed = room((size_t)n * sizeof(float));
    ops->pack(packed, w, t);
    for (int64_t k = 0; k < n; k++) {
        int64_t at = place_of(t, ops->lanes, k / t->ins, k % t->ins);
        if (t->bf16)
            assert_int_equal(((const protea_bf16 *)packed)[at], protea_f32_to_bf16(w[k]));
        else
            assert_true(((const float *)packed)[at] == w[k]);
    }
    free(packed);
}

static void check_add(const protea_weight_tiles_ops *ops, const protea_weight_tiles *t, const float *w)
{
    int64_t n = t->outs * t->ins;
    float *sum = room((size_t)n * sizeof *sum), *packed = random_values(n, 2, 1);
    memcpy(sum, w, (size_t)n * sizeof *sum);
    ops->add(sum, packed, t);
    for (int64_t k = 0; k < n; k++)
        assert_true(sum[k] == w[k] + packed[place_of(t, ops->lanes, k / t->ins, k % t->ins)]);
    free(sum);
    free(packed);
}

static void check_shape(const protea_weight_tiles_ops *ops, const int64_t shape[2])
{
    float *w = random_values(shape[0] * shape[1], 1, 1);
    for (int way = 0; way < 8; way++) {
        protea_weight_tiles t = tiles_for(shape, ops->lanes, way & 1, way & 2, way & 4);
        check_pack(ops, &t, w);
        if (!t.bf16)
            check_add(ops, &t, w);
    }
    free(w);
}

static void test_tiles(void **state)
{
    (void)state;
    const protea_cpu *cpu = protea_cpu_of(fast);
    for (int rounding = 0; rounding <= cpu->bf16_vectors; rounding++) {
        const protea_weight_tiles_ops *ops = protea_weight_tiles_of(cpu->isa, rounding);
        if (ops == NULL)
            skip();
        for (int i = 0; i < N_SHAPES; i++)
            check_shape(ops, shapes[i]);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tiles) };
    return cmocka_run_group_tests(tests, open_backends, close_backends);
}

int main(void)
{
    return run_per_isa(group);
}
