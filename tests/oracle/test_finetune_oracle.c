/* Six epochs of fine-tuning, trunk and classifier at rates of their own that fall at milestones, are those of PyTorch in double
 * (tools/oracle/finetune.py): every loss, how many images are right after each epoch, and at the end the norm and eight elements
 * of every weight and running statistic. */
#include "eval/finetune.h"
#include "format/npy.h"
#include "support/oracle_run.h"
#include "support/temp_folder.h"

enum { IMAGES = 16, CLASSES = 10, EPOCHS = 6, SIDE = 32 };

/* Patches of colour with noise, as the oracle makes them. */
static void write_set(const char *path)
{
    static uint8_t pixels[IMAGES * SIDE * SIDE * 3];
    static float patches[IMAGES * 4 * 4 * 3], noise[IMAGES * SIDE * SIDE * 3];
    uint8_t label[IMAGES];
    formula_fill(patches, IMAGES * 4 * 4 * 3, "patches", 128, 80);
    formula_fill(noise, IMAGES * SIDE * SIDE * 3, "noise", 0, 40);
    for (int i = 0; i < IMAGES * SIDE * SIDE * 3; i++) {
        int channel = i % 3, column = i / 3 % SIDE, row = i / (3 * SIDE) % SIDE, image = i / (3 * SIDE * SIDE);
        pixels[i] = (uint8_t)(patches[((image * 4 + row * 4 / SIDE) * 4 + column * 4 / SIDE) * 3 + channel] + noise[i]);
    }
    for (int i = 0; i < IMAGES; i++)
        label[i] = (uint8_t)(3 * i % CLASSES);
    const protea_tensor images = { .data = pixels, .dtype = PROTEA_U8, .n_dims = 4, .dim = { IMAGES, SIDE, SIDE, 3 } };
    const protea_tensor labels = { .data = label, .dtype = PROTEA_U8, .n_dims = 1, .dim = { IMAGES } };
    char beside[64];
    snprintf(beside, sizeof beside, "%.*s-labels.npy", (int)strlen(path) - 4, path);
    assert_ok(protea_npy_write(path, &images));
    assert_ok(protea_npy_write(beside, &labels));
}

static protea_status compare_loss(void *self, int64_t done, int64_t total, double loss)
{
    assert_int_equal(total, EPOCHS);
    oracle_loss(self, (int)done - 1, loss);
    return PROTEA_OK;
}

static protea_status compare_right(void *self, int64_t epoch, const protea_finetune_score *score)
{
    oracle *w = self;
    char line[256];
    int number, right, among;
    rewind(w->file);
    while (fgets(line, sizeof line, w->file) != NULL)
        if (sscanf(line, "right %d %d %d", &number, &right, &among) == 3 && number == epoch - 1) {
            assert_float_equal(score->last_top1 * IMAGES, right, 1e-9);
            assert_float_equal(score->last_top5 * IMAGES, among, 1e-9);
            w->n_found++;
        }
    return PROTEA_OK;
}

/* A network of the formula's weights, and the classifier that fine-tuning made. */
static void start(protea_finetune *tuning)
{
    const protea_visitor formula = { .param = formula_visit };
    assert_ok(protea_visit(protea_finetune_model(tuning)->backbone, "", &formula));
    assert_ok(protea_visit(protea_finetune_model(tuning)->fc, "fc", &formula));
}

static void compare_tensors(oracle *w, protea_finetune *tuning)
{
    const protea_visitor compare = { .param = oracle_param, .buffer = oracle_buffer, .self = w };
    assert_ok(protea_visit(protea_finetune_model(tuning)->backbone, "", &compare));
    assert_ok(protea_visit(protea_finetune_model(tuning)->fc, "fc", &compare));
    print_message("worst: early loss %.1e, loss %.1e, norm %.1e, element %.1e\n", w->worst.early, w->worst.late, w->worst.norm,
                  w->worst.element);
}

static void tune(oracle *w, protea_ctx *cx, const protea_model *model, protea_source *set)
{
    static const int32_t class[CLASSES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    const protea_finetune_opts opts = { .epochs = EPOCHS, .batch_size = 256, .lr = .01, .lr_head = .2, .momentum = .9, .wd = 1e-3,
                                        .schedule = PROTEA_LR_STEPS, .milestones = { 2, { 3, 5 } }, .gamma = .2,
                                        .view = PROTEA_VIEW_PLAIN, .test_freq = 1 };
    const protea_finetune_watch watch = { compare_loss, NULL, compare_right, w };
    protea_finetune *tuning;
    protea_finetune_score score;
    assert_ok(protea_finetune_new(&tuning, cx, model, set, &opts));
    start(tuning);
    assert_ok(protea_finetune_run(tuning, &score, set, class, &watch));
    compare_tensors(w, tuning);
    protea_finetune_free(tuning);
}

static void six_epochs(void **state)
{
    (void)state;
    const protea_resnet_opts resnet = { .arch = "resnet18-w16", .small_stem = true };
    const protea_source_opts as_it_is = protea_source_opts_default();
    oracle w = { .file = fopen(TEST_DATA "/finetune.txt", "r"), .unlisted = "",
                 .allowed = { .early = 1e-6, .late = 1e-4, .norm = 1e-3, .element = 5e-3 } };
    protea_model model = { .small_stem = true, .image_size = SIDE, .mean = { .5f, .5f, .5f }, .std = { .25f, .25f, .25f } };
    protea_ctx cx = test_context_open(64);
    cx.be->winograd = PROTEA_WINOGRAD_NONE; /* small networks amplify rounding; tests/kernel hold Winograd to its own */
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    protea_source *set;
    assert_non_null(w.file);
    write_set("set.npy");
    assert_ok(protea_source_open(&set, "set.npy", &as_it_is));
    assert_int_equal(protea_source_n_classes(set), CLASSES);
    assert_ok(protea_resnet_new(&model.backbone, &resnet, &rng));
    tune(&w, &cx, &model, set);
    assert_int_equal(w.n_found, 2 * EPOCHS + 102);
    protea_module_free(model.backbone);
    protea_source_close(set);
    test_context_close(&cx);
    fclose(w.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(six_epochs) };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}
