/* Proves: every layer's backward is the derivative of its forward, by finite differences, with the reference kernels and with
 * this machine's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "isa.h"
#include "support/gradcheck.h"

static protea_rng rng(void)
{
    return protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
}

static void check_and_free(gradcheck g)
{
    gradcheck_run(g, PROTEA_ISA_REF);
    gradcheck_run(g, test_isa());
    protea_module_free(g.module);
}

static void check_conv(const char *name, int64_t n, int64_t in, int64_t out, int64_t size, protea_conv_geometry geometry)
{
    protea_rng r = rng();
    gradcheck g = { .name = name, .dim = { n, in, size, size }, .native = true };
    must(protea_conv_new(&g.module, in, out, geometry, &r));
    check_and_free(g);
}

static void convolutions(void **state)
{
    (void)state;
    check_conv("conv 3x3", 2, 16, 32, 7, (protea_conv_geometry){ 3, 1, 1 });
    check_conv("conv 3x3, stride 2", 3, 32, 16, 7, (protea_conv_geometry){ 3, 2, 1 });
    check_conv("conv 3x3, stride 2, even", 2, 16, 16, 8, (protea_conv_geometry){ 3, 2, 1 });
    check_conv("conv 1x1", 2, 48, 16, 5, (protea_conv_geometry){ 1, 1, 0 });
    check_conv("conv 1x1, stride 2", 2, 16, 32, 5, (protea_conv_geometry){ 1, 2, 0 });
    check_conv("conv 7x7, stride 2, of images", 2, 3, 16, 17, (protea_conv_geometry){ 7, 2, 3 });
    check_conv("conv 3x3 of images", 2, 3, 16, 9, (protea_conv_geometry){ 3, 1, 1 });
    check_conv("conv 3x3, one pixel", 4, 16, 16, 1, (protea_conv_geometry){ 3, 1, 1 });
    check_conv("conv 3x3, odd channels", 2, 5, 7, 6, (protea_conv_geometry){ 3, 1, 1 });
}

/* All values different, by more than a step of the check moves them. */
static void apart_from_each_other(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = 0.01f * (float)(i * 7919 % n - n / 2);
}

static void poolings(void **state)
{
    (void)state;
    gradcheck max = { .name = "max pool", .dim = { 2, 16, 9, 9 }, .native = true, .spread = apart_from_each_other };
    must(protea_max_pool_new(&max.module, 16, (protea_conv_geometry){ 3, 2, 1 }));
    check_and_free(max);
    gradcheck mean = { .name = "mean pool", .dim = { 3, 32, 5, 5 }, .native = true };
    must(protea_mean_pool_new(&mean.module, 32));
    check_and_free(mean);
}

static void rows(void **state)
{
    (void)state;
    protea_rng r = rng();
    gradcheck linear = { .name = "linear", .dim = { 6, 20, 1, 1 } };
    must(protea_linear_new(&linear.module, 20, 9, true, &r));
    check_and_free(linear);
    gradcheck bare = { .name = "linear without bias", .dim = { 5, 8, 1, 1 } };
    must(protea_linear_new(&bare.module, 8, 33, false, &r));
    check_and_free(bare);
    gradcheck l2norm = { .name = "l2norm", .dim = { 7, 19, 1, 1 } };
    must(protea_l2norm_new(&l2norm.module, 19));
    check_and_free(l2norm);
    gradcheck head = { .name = "SwAV's head", .dim = { 32, 16, 1, 1 }, .pass.batch_stats = true };
    must(protea_mlp_head_new(&head.module, 16, 24, 8, &r));
    check_and_free(head);
}

static void apart_from_zero(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] += copysignf(0.1f, x[i]);
}

static void relu(void **state)
{
    (void)state;
    gradcheck g = { .name = "relu", .dim = { 2, 16, 11, 11 }, .native = true, .spread = apart_from_zero };
    must(protea_relu_new(&g.module, 16));
    check_and_free(g);
}

static void check_batchnorm(const char *name, const int64_t dim[4], bool native, bool relu_too, bool affine, protea_pass pass)
{
    gradcheck g = { .name = name, .dim = { dim[0], dim[1], dim[2], dim[3] }, .native = native, .pass = pass };
    must(protea_batchnorm_new(&g.module, dim[1], affine, relu_too));
    check_and_free(g);
}

static void batchnorms(void **state)
{
    (void)state;
    const int64_t maps[4] = { 8, 16, 5, 5 }, row[4] = { 24, 10, 1, 1 };
    const protea_pass batch = { .batch_stats = true }, running = { 0 };
    check_batchnorm("batch statistics", maps, true, false, true, batch);
    check_batchnorm("batch statistics, relu", maps, true, true, true, batch);
    check_batchnorm("running statistics", maps, true, false, true, running);
    check_batchnorm("running statistics, relu", maps, true, true, true, running);
    check_batchnorm("no affine", maps, true, false, false, batch);
    check_batchnorm("contiguous groups", maps, true, true, true, (protea_pass){ .batch_stats = true, .bn_groups = 2 });
    check_batchnorm("interleaved groups", maps, true, true, true,
                    (protea_pass){ .batch_stats = true, .bn_groups = 4, .bn_run = 1 });
    check_batchnorm("rows", row, false, false, true, batch);
    check_batchnorm("rows, relu, groups", row, false, true, true, (protea_pass){ .batch_stats = true, .bn_groups = 3 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(convolutions), cmocka_unit_test(poolings), cmocka_unit_test(rows),
                                        cmocka_unit_test(relu), cmocka_unit_test(batchnorms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
