#include "eval/class_rows.h"

#include "base/alloc.h"
#include "eval/feature_match.h"

/* The classes of a row by the set's own numbers; returns how many. */
static int64_t labels_of(const protea_feature_set *set, int64_t i, const int32_t **label)
{
    *label = set->first != NULL ? set->tag + set->first[i] : &set->label[i];
    return set->first != NULL ? set->first[i + 1] - set->first[i] : set->label[i] >= 0;
}

/* Sizes of the classes to first, one place on, and the rows that have any. */
static protea_status count_rows(protea_class_rows *r, const protea_feature_set *set, const int32_t *map, int n_classes)
{
    const int32_t *label;
    for (int64_t i = 0; i < set->n; i++) {
        int64_t n = labels_of(set, i, &label);
        if (n > 0)
            r->used[r->n++] = i;
        for (int64_t k = 0; k < n; k++) {
            if (map[label[k]] < 0)
                return protea_feature_class_unknown(set, label[k], n_classes);
            r->first[map[label[k]] + 1]++;
        }
    }
    if (r->n > 0)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: none of its %lld images has a class", set->name, (long long)set->n);
}

static protea_status list_rows(protea_class_rows *r, const protea_feature_set *set, const int32_t *map, int n_classes)
{
    const int32_t *label;
    int64_t *next;
    for (int c = 0; c < n_classes; c++)
        r->first[c + 1] += r->first[c];
    PROTEA_TRY(protea_new(&r->row, (size_t)r->first[n_classes], sizeof *r->row, "rows of classes"));
    PROTEA_TRY(protea_new(&next, (size_t)n_classes, sizeof *next, "rows of classes"));
    for (int c = 0; c < n_classes; c++)
        next[c] = r->first[c];
    for (int64_t i = 0; i < set->n; i++) {
        int64_t n = labels_of(set, i, &label);
        for (int64_t k = 0; k < n; k++)
            r->row[next[map[label[k]]]++] = i;
    }
    protea_free(next);
    return PROTEA_OK;
}

static protea_status find_rows(protea_class_rows *r, const protea_feature_set *set, const protea_two_sets *m)
{
    int32_t *map;
    PROTEA_TRY(protea_new(&r->used, (size_t)set->n, sizeof *r->used, "rows of classes"));
    PROTEA_TRY(protea_new(&r->first, (size_t)m->n_classes + 1, sizeof *r->first, "rows of classes"));
    PROTEA_TRY(protea_feature_class_map(&map, set, m->class_name, m->n_classes));
    protea_status status = count_rows(r, set, map, m->n_classes);
    if (status == PROTEA_OK)
        status = list_rows(r, set, map, m->n_classes);
    protea_free(map);
    return status;
}

protea_status protea_two_sets_match(protea_two_sets *m, const protea_feature_set *train, const protea_feature_set *test)
{
    *m = (protea_two_sets){ .several = train->first != NULL || test->first != NULL };
    PROTEA_TRY(protea_feature_classes(&m->class_name, train, test));
    m->n_classes = train->n_classes;
    PROTEA_TRY(find_rows(&m->train, train, m));
    return find_rows(&m->test, test, m);
}

static void release(protea_class_rows *r)
{
    protea_free(r->used);
    protea_free(r->first);
    protea_free(r->row);
}

void protea_two_sets_release(protea_two_sets *m)
{
    release(&m->train);
    release(&m->test);
    protea_free(m->class_name);
    *m = (protea_two_sets){ .n_classes = 0 };
}
