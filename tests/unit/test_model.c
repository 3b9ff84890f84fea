/* Proves: a model comes back from its file with its weights and what it needs to be used; files that lack, add, bend or
 * poison a tensor are refused by its name; a classifier comes back with its classes; an image's features do not
 * depend on the images beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "comm/comm.h"
#include "eval/features.h"
#include "format/safetensors.h"
#include "nn/layers.h"

static protea_ctx cx;
static char path[64];
static char folder[] = "/tmp/protea-model-XXXXXX";

static int open_context(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/m.safetensors", folder);
    cx.threads = 2;
    return protea_backend_cpu_open(&cx.be, PROTEA_ISA_BEST) == PROTEA_OK && protea_comm_self(&cx.comm) == PROTEA_OK ? 0 : -1;
}

static int close_context(void **state)
{
    (void)state;
    unlink(path);
    protea_comm_free(cx.comm);
    protea_backend_close(cx.be);
    return rmdir(folder);
}

/* What is wrong with a file on purpose. */
typedef struct fault {
    const char *leave_out, *bend, *poison, *add;
    bool no_metadata;
    int classes;             /* of a classifier beside the backbone; 0: none */
    const char *class_names; /* metadata; NULL: none */
    const char *key, *value; /* metadata to write in the place of the right one */
} fault;

typedef struct saver {
    protea_st_writer *writer;
    const fault *fault;
    protea_module *fc;
} saver;

static bool is(const char *name, const char *wanted)
{
    return wanted != NULL && strcmp(name, wanted) == 0;
}

static protea_status save_tensor(void *self, const char *name, protea_tensor *t)
{
    const saver *s = self;
    protea_tensor bent = *t;
    if (is(name, s->fault->leave_out))
        return PROTEA_OK;
    if (is(name, s->fault->poison))
        protea_f32(t)[1] = NAN;
    if (is(name, s->fault->bend))
        bent.dim[0]--;
    return protea_st_add(s->writer, name, &bent);
}

static protea_status save_param(void *self, const char *name, protea_param *p)
{
    return save_tensor(self, name, &p->w);
}

static void add_metadata(protea_st_writer *w, const fault *f)
{
    const char *const notes[][2] = {
        { "protea.format", "1" }, { "protea.arch", "resnet18-w16" }, { "protea.stem", "small" }, { "protea.image_size", "8" },
        { "protea.mean", "0.5,0.4,0.3" }, { "protea.std", "0.2,0.25,0.3" }, { "protea.method", "swav" },
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        assert_int_equal(protea_st_add_metadata(w, notes[i][0], is(notes[i][0], f->key) ? f->value : notes[i][1]), PROTEA_OK);
}

static void save_classifier(saver *s, const fault *f, protea_rng *rng)
{
    protea_module *fc;
    const protea_visitor v = { save_param, save_tensor, s };
    assert_int_equal(protea_linear_new(&fc, 128, f->classes, true, rng), PROTEA_OK);
    assert_int_equal(protea_visit(fc, "fc", &v), PROTEA_OK);
    if (f->class_names != NULL)
        assert_int_equal(protea_st_add_metadata(s->writer, "protea.classes", f->class_names), PROTEA_OK);
    s->fc = fc;
}

static void save(const fault *f, bool small_stem)
{
    protea_module *net;
    float extra[2] = { 1, 2 };
    const protea_tensor added = { .data = extra, .dtype = PROTEA_F32, .n_dims = 1, .dim = { 2 } };
    const protea_resnet_opts opts = { .arch = "resnet18-w16", .small_stem = small_stem };
    protea_rng rng = protea_rng_make(5, PROTEA_RNG_INIT, 0, 0, 0);
    saver s = { .fault = f };
    const protea_visitor v = { save_param, save_tensor, &s };
    assert_int_equal(protea_resnet_new(&net, &opts, &rng), PROTEA_OK);
    assert_int_equal(protea_st_writer_new(&s.writer), PROTEA_OK);
    assert_int_equal(protea_visit(net, "", &v), PROTEA_OK);
    if (f->classes > 0)
        save_classifier(&s, f, &rng);
    if (f->add != NULL)
        assert_int_equal(protea_st_add(s.writer, f->add, &added), PROTEA_OK);
    if (!f->no_metadata)
        add_metadata(s.writer, f);
    assert_int_equal(protea_st_write(s.writer, path, NULL), PROTEA_OK);
    protea_st_writer_free(s.writer);
    protea_module_free(s.fc);
    protea_module_free(net);
}

static void metadata_is_read(void **state)
{
    (void)state;
    protea_model m;
    save(&(fault){ 0 }, true);
    assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_OK);
    assert_string_equal(m.arch, "resnet18-w16");
    assert_string_equal(m.method, "swav");
    assert_true(m.small_stem && !m.pixels);
    assert_int_equal(m.image_size, 8);
    assert_int_equal(m.dim, 128);
    assert_true(fabs((double)m.mean[1] - 0.4) < 1e-6 && fabs((double)m.std[2] - 0.3) < 1e-6);
    assert_int_equal(protea_model_open_head(&cx, &m), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "holds a backbone and no head"));
    protea_model_close(&m);
}

static void shapes_are_recognised(void **state)
{
    (void)state;
    for (int small = 0; small < 2; small++) {
        protea_model m;
        save(&(fault){ .no_metadata = true, .add = "fc.bias", .leave_out = "bn1.num_batches_tracked" }, small);
        assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_OK);
        assert_string_equal(m.arch, "resnet18-w16");
        assert_int_equal(m.small_stem, small);
        assert_int_equal(m.image_size, small ? 32 : 224);
        protea_model_close(&m);
    }
}

static void refuse(const fault *f, const char *why)
{
    protea_model m;
    save(f, true);
    assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_ERR_INPUT);
    protea_model_close(&m);
    assert_non_null(strstr(protea_last_error(), path));
    if (strstr(protea_last_error(), why) == NULL)
        fail_msg("'%s' does not say '%s'", protea_last_error(), why);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    refuse(&(fault){ .leave_out = "layer2.0.bn1.weight" }, "1 missing tensor: layer2.0.bn1.weight");
    refuse(&(fault){ .add = "layer9.weight" }, "1 unexpected tensor: layer9.weight");
    refuse(&(fault){ .bend = "bn1.bias" }, "bn1.bias: shape (15), wanted (16)");
    refuse(&(fault){ .poison = "bn1.running_mean" }, "bn1.running_mean: element 1 is nan");
    refuse(&(fault){ .no_metadata = true, .leave_out = "conv1.weight" }, "no conv1.weight");
    refuse(&(fault){ .no_metadata = true, .leave_out = "layer4.1.conv1.weight" }, "2, 2, 2, 1 basic blocks and width 16");
    refuse(&(fault){ .key = "protea.format", .value = "2" }, "protea.format: 2 found");
    refuse(&(fault){ .key = "protea.stem", .value = "huge" }, "protea.stem: huge found");
    refuse(&(fault){ .key = "protea.image_size", .value = "0" }, "protea.image_size: 0 found");
    refuse(&(fault){ .key = "protea.std", .value = "1,1,0" }, "numbers above 0");
    refuse(&(fault){ .key = "protea.mean", .value = "1,1" }, "three numbers");
    refuse(&(fault){ .key = "protea.arch", .value = "resnet50" }, "conv1.weight: shape (16, 3, 3, 3), wanted (64, 3, 3, 3)");
}

static void what_is_not_a_model(void **state)
{
    (void)state;
    protea_model m;
    assert_int_equal(protea_model_open(&cx, &m, "/no/such.safetensors", 0), PROTEA_ERR_INPUT);
    protea_model_close(&m);
    unlink(path);
    assert_int_equal(protea_model_open(&cx, &m, folder, 0), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "a directory without"));
    protea_model_close(&m);
    save(&(fault){ 0 }, true);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_ERR_INPUT);
    protea_model_close(&m);
}

/* The features of one image alone, among others, and at another place are the same bits, in both precisions. */
static void features_do_not_depend_on_the_others(void **state)
{
    (void)state;
    enum { N = 300, DIM = 128 };
    const int64_t some[3] = { 299, 0, 7 };
    protea_model m;
    protea_source *source;
    protea_source_opts opts = protea_source_opts_default();
    float *all = calloc(N * DIM, sizeof *all), few[3 * DIM];
    save(&(fault){ 0 }, true);
    assert_int_equal(protea_source_open(&source, "synth:shapes,n=300,size=12", &opts), PROTEA_OK);
    assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_OK);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        cx.compute = bf16 ? PROTEA_BF16 : PROTEA_F32;
        assert_int_equal(protea_model_features(&cx, &m, PROTEA_BACKBONE_FEATURES, source, all, NULL, NULL), PROTEA_OK);
        assert_int_equal(protea_model_features_of(&cx, &m, PROTEA_BACKBONE_FEATURES, source, some, 3, few, NULL, NULL), PROTEA_OK);
        for (int i = 0; i < 3; i++)
            assert_memory_equal(few + i * DIM, all + some[i] * DIM, DIM * sizeof *few);
        assert_memory_not_equal(few, few + DIM, DIM * sizeof *few);
    }
    cx.compute = PROTEA_F32;
    assert_null(cx.kept);
    free(all);
    protea_model_close(&m);
    protea_source_close(source);
}

/* Squares of 8 pixels through a model for 16 are what they are through one for 8. */
static void small_squares_are_used_as_they_are(void **state)
{
    (void)state;
    enum { N = 10, DIM = 128 };
    protea_model sixteen, eight;
    protea_source *small;
    protea_source_opts opts = protea_source_opts_default();
    float a[N * DIM], b[N * DIM];
    save(&(fault){ 0 }, true);
    assert_int_equal(protea_source_open(&small, "synth:shapes,n=10,size=8", &opts), PROTEA_OK);
    assert_int_equal(protea_model_open(&cx, &sixteen, path, 16), PROTEA_OK);
    assert_int_equal(protea_model_open(&cx, &eight, path, 8), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &sixteen, PROTEA_BACKBONE_FEATURES, small, a, NULL, NULL), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &eight, PROTEA_BACKBONE_FEATURES, small, b, NULL, NULL), PROTEA_OK);
    for (int i = 0; i < N * DIM; i++)
        assert_true(fabsf(a[i] - b[i]) <= 1e-5f * (1 + fabsf(a[i])));
    protea_model_close(&eight);
    protea_model_close(&sixteen);
    protea_source_close(small);
}

/* A folder of squares of several sides and a broken file: each row is what its image gives alone; the bad one is zeros. */
static void sides_may_be_mixed(void **state)
{
    (void)state;
    enum { N = 5, DIM = 128 };
    const int side[N] = { 6, 12, 6, 9, 0 };
    const float zero[DIM] = { 0 };
    char pictures[80], name[N][96];
    protea_model m;
    protea_source *source;
    protea_source_opts opts = protea_source_opts_default();
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_TEST, 0, 0, 0);
    float all[N * DIM], one[DIM];
    snprintf(pictures, sizeof pictures, "%s/pictures", folder);
    assert_int_equal(protea_make_dirs(pictures), PROTEA_OK);
    for (int i = 0; i < N; i++) {
        protea_image image = { 0 };
        uint8_t *bytes = NULL;
        size_t len = 0;
        snprintf(name[i], sizeof name[i], "%s/%d.png", pictures, i);
        assert_int_equal(protea_image_reserve(&image, side[i] ? side[i] : 4, side[i] ? side[i] : 4), PROTEA_OK);
        for (int p = 0; p < 3 * image.w * image.h; p++)
            image.px[p] = (uint8_t)protea_rng_u32(&rng);
        assert_int_equal(protea_image_encode_png(&bytes, &len, &image), PROTEA_OK);
        assert_int_equal(protea_file_write(name[i], bytes, side[i] ? len : len / 2), PROTEA_OK);
        protea_free(bytes);
        protea_image_release(&image);
    }
    save(&(fault){ 0 }, true);
    assert_int_equal(protea_source_open(&source, pictures, &opts), PROTEA_OK);
    assert_int_equal(protea_source_count(source), N);
    assert_int_equal(protea_model_open(&cx, &m, path, 0), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &m, PROTEA_BACKBONE_FEATURES, source, all, NULL, NULL), PROTEA_OK);
    for (int64_t i = 0; i < N; i++) {
        assert_int_equal(protea_model_features_of(&cx, &m, PROTEA_BACKBONE_FEATURES, source, &i, 1, one, NULL, NULL), PROTEA_OK);
        assert_memory_equal(one, all + i * DIM, sizeof one);
        assert_int_equal(memcmp(one, zero, sizeof one) == 0, side[i] == 0);
        unlink(name[i]);
    }
    assert_true(protea_source_is_bad(source, N - 1));
    rmdir(pictures);
    protea_model_close(&m);
    protea_source_close(source);
}

typedef struct wanted_weights { const float *weight, *bias; } wanted_weights;

static protea_status keep_weights(void *self, const char *name, protea_param *p)
{
    wanted_weights *w = self;
    *(strcmp(name, "bias") == 0 ? &w->bias : &w->weight) = protea_f32(&p->w);
    return PROTEA_OK;
}

static float logit_of(const protea_model *m, const float *z, int64_t class)
{
    wanted_weights w = { 0 };
    const protea_visitor v = { .param = keep_weights, .self = &w };
    assert_int_equal(protea_visit(m->fc, "", &v), PROTEA_OK);
    double sum = w.bias[class];
    for (int64_t i = 0; i < m->dim; i++)
        sum += (double)w.weight[class * m->dim + i] * z[i];
    return (float)sum;
}

/* Logits are fc of the features; a model that was saved gives the same bits; classes are matched by name. */
static void a_classifier_comes_back(void **state)
{
    (void)state;
    enum { N = 6, DIM = 128, C = 9 };
    const fault good = { .classes = C, .class_names = "[\"x\",\"ring\",\"square\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]" };
    protea_model m, again;
    protea_source *source;
    protea_source_opts opts = protea_source_opts_default();
    float z[N * DIM], logits[N * C], same[N * C];
    int32_t *map;
    save(&good, true);
    assert_int_equal(protea_model_open_classifier(&cx, &m, path, 0), PROTEA_OK);
    assert_int_equal(m.classes.n, C);
    assert_true(m.classes_named);
    assert_string_equal(m.classes.name[1], "ring");
    assert_int_equal(protea_source_open(&source, "synth:shapes,n=6,size=12", &opts), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &m, PROTEA_BACKBONE_FEATURES, source, z, NULL, NULL), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &m, PROTEA_LOGITS, source, logits, NULL, NULL), PROTEA_OK);
    for (int64_t i = 0; i < N * C; i++)
        assert_true(fabsf(logits[i] - logit_of(&m, z + i / C * DIM, i % C)) < 1e-4f);
    assert_int_equal(protea_model_save(&m, path), PROTEA_OK);
    assert_int_equal(protea_model_open_classifier(&cx, &again, path, 0), PROTEA_OK);
    assert_int_equal(protea_model_features(&cx, &again, PROTEA_LOGITS, source, same, NULL, NULL), PROTEA_OK);
    assert_memory_equal(logits, same, sizeof same);
    assert_string_equal(again.method, "swav");
    assert_int_equal(protea_model_match_classes(&map, &again, source, "DATA"), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "is not among the 9"));
    protea_model_close(&again);
    protea_model_close(&m);
    protea_source_close(source);
}

/* A file of torchvision's names its classes by numbers, and fits data of as many. */
static void a_classifier_without_names(void **state)
{
    (void)state;
    protea_model m;
    protea_source *source;
    protea_source_opts opts = protea_source_opts_default();
    int32_t *map;
    assert_int_equal(protea_source_open(&source, "synth:shapes,n=20,size=12", &opts), PROTEA_OK);
    int n = protea_source_n_classes(source);
    for (int more = 0; more < 2; more++) {
        save(&(fault){ .no_metadata = true, .classes = n + more }, true);
        assert_int_equal(protea_model_open_classifier(&cx, &m, path, 0), PROTEA_OK);
        assert_false(m.classes_named);
        assert_string_equal(m.classes.name[n - 1 + more], more ? "10" : "9");
        assert_int_equal(protea_model_match_classes(&map, &m, source, "DATA"), more ? PROTEA_ERR_INPUT : PROTEA_OK);
        for (int c = 0; c < n && map != NULL; c++)
            assert_int_equal(map[c], c);
        protea_free(map);
        protea_model_close(&m);
    }
    protea_source_close(source);
}

static void refuse_classifier(const fault *f, const char *why)
{
    protea_model m;
    save(f, true);
    assert_int_equal(protea_model_open_classifier(&cx, &m, path, 0), PROTEA_ERR_INPUT);
    protea_model_close(&m);
    if (strstr(protea_last_error(), why) == NULL)
        fail_msg("'%s' does not say '%s'", protea_last_error(), why);
}

static void wrong_classifiers_are_refused(void **state)
{
    (void)state;
    refuse_classifier(&(fault){ 0 }, "holds no classifier");
    refuse_classifier(&(fault){ .classes = 3, .bend = "fc.bias" }, "fc.bias: shape (2), wanted (3)");
    refuse_classifier(&(fault){ .classes = 3, .poison = "fc.weight" }, "fc.weight: element 1 is nan");
    refuse_classifier(&(fault){ .classes = 3, .class_names = "[\"a\",\"b\"]" }, "has 3 classes, protea.classes names 2");
    refuse_classifier(&(fault){ .classes = 3, .class_names = "[\"a\",\"b\",3]" }, "its element 2 is no name");
    refuse_classifier(&(fault){ .classes = 3, .class_names = "{}" }, "a JSON list of names wanted");
    refuse_classifier(&(fault){ .classes = 3, .class_names = "[" }, "a JSON list of names wanted");
    refuse_classifier(&(fault){ .classes = 3, .class_names = "[]" }, "0 names found");
}

static protea_status stop_at_once(void *self, int64_t done)
{
    *(int64_t *)self = done;
    return protea_fail(PROTEA_STOPPED, "stopped");
}

static void pixels_are_a_model(void **state)
{
    (void)state;
    protea_model m;
    protea_source *source;
    protea_image image = { 0 };
    int64_t done = 0;
    float z[20 * 3 * 12 * 12];
    protea_source_opts opts = protea_source_opts_default();
    assert_int_equal(protea_source_open(&source, "synth:shapes,n=20,size=12", &opts), PROTEA_OK);
    assert_int_equal(protea_model_open(&cx, &m, "pixels", 0), PROTEA_OK);
    assert_int_equal(protea_model_fit(&m, source), PROTEA_OK);
    assert_int_equal(m.dim, 3 * 12 * 12);
    assert_int_equal(protea_model_features(&cx, &m, PROTEA_BACKBONE_FEATURES, source, z, NULL, NULL), PROTEA_OK);
    assert_int_equal(protea_source_read(source, 19, &image), PROTEA_OK);
    for (int p = 0; p < 12 * 12; p++)
        for (int c = 0; c < 3; c++)
            assert_true(fabsf(z[(19 * 3 + c) * 144 + p] * 255 - image.px[3 * p + c]) < 1e-3f);
    assert_int_equal(protea_model_features(&cx, &m, PROTEA_BACKBONE_FEATURES, source, z, stop_at_once, &done), PROTEA_STOPPED);
    assert_int_equal(done, 20);
    assert_int_equal(protea_model_open_head(&cx, &m), PROTEA_ERR_USAGE);
    protea_image_release(&image);
    protea_model_close(&m);
    protea_source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_is_read), cmocka_unit_test(shapes_are_recognised), cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(what_is_not_a_model), cmocka_unit_test(features_do_not_depend_on_the_others),
        cmocka_unit_test(small_squares_are_used_as_they_are), cmocka_unit_test(sides_may_be_mixed),
        cmocka_unit_test(pixels_are_a_model), cmocka_unit_test(a_classifier_comes_back),
        cmocka_unit_test(a_classifier_without_names), cmocka_unit_test(wrong_classifiers_are_refused),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
