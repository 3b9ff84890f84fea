#include "eval/feature_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

protea_status protea_feature_classes(const char ***sorted, const protea_feature_set *train, const protea_feature_set *test)
{
    size_t n = (size_t)train->n_classes;
    if (train->dim != test->dim)
        return protea_fail(PROTEA_ERR_INPUT, "%s: features of %lld numbers, those of %s have %lld", test->name,
                           (long long)test->dim, train->name, (long long)train->dim);
    if (train->n_classes == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: its images have no classes; wanted a folder of class folders", train->name);
    PROTEA_TRY(protea_new(sorted, n, sizeof **sorted, "class names"));
    memcpy(*sorted, train->class_name, n * sizeof **sorted);
    qsort(*sorted, n, sizeof **sorted, by_name);
    return PROTEA_OK;
}

protea_status protea_feature_class_map(int32_t **map, const protea_feature_set *set, const char *const *sorted, int n)
{
    PROTEA_TRY(protea_new(map, (size_t)set->n_classes, sizeof **map, "classes"));
    for (int c = 0; c < set->n_classes; c++) {
        const char *const *at = bsearch(&set->class_name[c], sorted, (size_t)n, sizeof *sorted, by_name);
        (*map)[c] = at ? (int32_t)(at - sorted) : -1;
    }
    return PROTEA_OK;
}

protea_status protea_feature_class_unknown(const protea_feature_set *set, int label, int n)
{
    return protea_fail(PROTEA_ERR_INPUT, "%s: its class %s is not among the %d of the training images", set->name,
                       set->class_name[label], n);
}

/* The set's labels, numbered as sorted is. *out: owned. */
static protea_status sorted_labels(int32_t **out, const protea_feature_set *set, const char *const *sorted, int n)
{
    int32_t *map;
    PROTEA_TRY(protea_feature_class_map(&map, set, sorted, n));
    protea_status status = protea_new(out, (size_t)set->n, sizeof **out, "labels");
    for (int64_t i = 0; status == PROTEA_OK && i < set->n; i++) {
        (*out)[i] = set->label[i] < 0 ? -1 : map[set->label[i]];
        if (set->label[i] >= 0 && (*out)[i] < 0)
            status = protea_feature_class_unknown(set, set->label[i], n);
    }
    protea_free(map);
    return status;
}

static protea_status check_single(const protea_feature_set *set)
{
    if (set->first == NULL)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: images of several classes, one each wanted here; eval svm takes several", set->name);
}

static protea_status number(protea_feature_match *m, const protea_feature_set *train, const protea_feature_set *test)
{
    PROTEA_TRY(check_single(train));
    PROTEA_TRY(check_single(test));
    PROTEA_TRY(protea_feature_classes(&m->class_name, train, test));
    m->n_classes = train->n_classes;
    PROTEA_TRY(sorted_labels(&m->train, train, m->class_name, m->n_classes));
    return sorted_labels(&m->test, test, m->class_name, m->n_classes);
}

protea_status protea_feature_match_sets(protea_feature_match *m, const protea_feature_set *train, const protea_feature_set *test)
{
    *m = (protea_feature_match){ .n_classes = 0 };
    return number(m, train, test);
}

void protea_feature_match_release(protea_feature_match *m)
{
    protea_free(m->class_name);
    protea_free(m->train);
    protea_free(m->test);
    *m = (protea_feature_match){ .n_classes = 0 };
}
