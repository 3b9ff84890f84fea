/* A file with a small classifier: weights by formula, so that its answers differ from image to image and class to class. */
#ifndef PROTEA_TESTS_SUPPORT_TINY_CLASSIFIER_H
#define PROTEA_TESTS_SUPPORT_TINY_CLASSIFIER_H

#include "eval/model.h"
#include "support/adapt_rig.h"

/* Images of `side` pixels, mean 0.5, deviation 0.25. The working folder gets the file. */
static inline void tiny_classifier_write(const char *path, int n_classes, int side)
{
    const protea_resnet_opts resnet = { .arch = "resnet18-w16", .small_stem = true };
    protea_model m = { .arch = "resnet18-w16", .method = "supervised", .small_stem = true, .image_size = side,
                       .mean = { .5f, .5f, .5f }, .std = { .25f, .25f, .25f }, .classes_named = true };
    protea_rng rng = protea_rng_make(1, PROTEA_RNG_INIT, 0, 0, 0);
    const protea_visitor fill = { formula_visit, adapt_rig_buffer, NULL };
    assert_ok(protea_resnet_new(&m.backbone, &resnet, &rng));
    assert_ok(protea_linear_new(&m.fc, m.backbone->out_dim, n_classes, true, &rng));
    assert_ok(protea_visit(m.backbone, "", &fill));
    assert_ok(protea_visit(m.fc, "fc", &fill));
    for (int c = 0; c < n_classes; c++) {
        char name[16];
        snprintf(name, sizeof name, "class %d", c);
        assert_ok(protea_class_names_add(&m.classes, name));
    }
    assert_ok(protea_model_save(&m, path));
    protea_model_close(&m);
}

#endif
