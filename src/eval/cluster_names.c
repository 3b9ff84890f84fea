#include "eval/cluster_names.h"

#include <stdio.h>

#include "base/alloc.h"

typedef struct majority {
    int64_t *count;   /* (classes) of the cluster that is looked at; owned */
    int32_t *class;   /* (k) -1: no class has more than half; owned */
    int64_t *same;    /* (classes) clusters of that class; owned */
} majority;

static int32_t majority_of(majority *m, const int32_t *cluster, const int32_t *label, int64_t n, int64_t j, int classes)
{
    int64_t total = 0;
    int32_t best = -1;
    for (int c = 0; c < classes; c++)
        m->count[c] = 0;
    for (int64_t i = 0; i < n; i++)
        if (cluster[i] == j && label[i] >= 0) {
            m->count[label[i]]++;
            total++;
        }
    for (int c = 0; c < classes; c++)
        best = 2 * m->count[c] > total ? c : best;
    return best;
}

static protea_status find_classes(majority *m, const int32_t *cluster, const int32_t *label, int64_t n, int64_t k, int classes)
{
    PROTEA_TRY(protea_new(&m->count, (size_t)classes, sizeof *m->count, "classes of clusters"));
    PROTEA_TRY(protea_new(&m->same, (size_t)classes, sizeof *m->same, "classes of clusters"));
    PROTEA_TRY(protea_new(&m->class, (size_t)k, sizeof *m->class, "classes of clusters"));
    for (int64_t j = 0; j < k; j++) {
        m->class[j] = majority_of(m, cluster, label, n, j, classes);
        if (m->class[j] >= 0)
            m->same[m->class[j]]++;
    }
    return PROTEA_OK;
}

static protea_status add_names(protea_class_names *names, majority *m, int64_t k, const protea_class_names *class_name)
{
    for (int c = 0; c < class_name->n; c++)
        m->count[c] = 0;
    for (int64_t j = 0; j < k; j++) {
        char name[256];
        int32_t class = m->class[j];
        if (class < 0)
            snprintf(name, sizeof name, "cluster %lld", (long long)j);
        else if (m->same[class] == 1)
            snprintf(name, sizeof name, "%.200s", class_name->name[class]);
        else
            snprintf(name, sizeof name, "%.200s %lld", class_name->name[class], (long long)++m->count[class]);
        PROTEA_TRY(protea_class_names_add(names, name));
    }
    return PROTEA_OK;
}

protea_status protea_cluster_names(protea_class_names *names, const int32_t *cluster, const int32_t *label, int64_t n, int64_t k,
                                   const protea_class_names *class_name)
{
    majority m = { 0 };
    protea_status status = find_classes(&m, cluster, label, n, k, class_name->n);
    if (status == PROTEA_OK)
        status = add_names(names, &m, k, class_name);
    protea_free(m.count);
    protea_free(m.same);
    protea_free(m.class);
    return status;
}
