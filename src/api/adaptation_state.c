/* Saving and loading a classifier that adapts. */
#include <stdio.h>
#include <string.h>

#include "adapt/snapshot.h"
#include "api/adaptation.h"
#include "tensor/ops.h"
#include "train/checkpoint.h"

#define META_ALGORITHM "protea.adaptation"

enum { COUNTS = 6 };

/* The numbers that are kept beside the tensors. */
static void list_counts(protea_adaptation *a, const char *key[COUNTS], int64_t *count[COUNTS])
{
    static const char *const keys[COUNTS] = { "protea.waiting", "protea.images",    "protea.batches",
                                              "protea.updates", "protea.rollbacks", "protea.lane_batches" };
    int64_t *const counts[COUNTS] = { &a->n_waiting,      &a->status.images,  &a->status.batches,
                                      &a->status.updates, &a->lane.rollbacks, &a->lane.batches };
    memcpy(key, keys, sizeof keys);
    memcpy(count, counts, sizeof counts);
}

/* The adapter's tensors, and the images that wait. */
static protea_status visit(void *self, const protea_visitor *v)
{
    protea_adaptation *a = self;
    int64_t side = a->lane.model.image_size;
    PROTEA_TRY(protea_adapter_visit(a->lane.adapter, v));
    protea_tensor waiting = { .data = a->waiting, .dtype = PROTEA_F32, .n_dims = 4, .dim = { a->n_waiting, 3, side, side } };
    return a->n_waiting > 0 ? protea_visit_buffer(v, "adaptation", "waiting", &waiting) : PROTEA_OK;
}

protea_status protea_adaptation_save(protea_adaptation *a, const char *path)
{
    char text[COUNTS][24];
    const char *key[COUNTS];
    int64_t *count[COUNTS];
    protea_note note[2 + COUNTS] = { { "protea.format", "1" }, { META_ALGORITHM, a->ops->name } };
    PROTEA_TRY(protea_adaptation_check_open(a));
    list_counts(a, key, count);
    for (int i = 0; i < COUNTS; i++) {
        snprintf(text[i], sizeof text[i], "%lld", (long long)*count[i]);
        note[2 + i] = (protea_note){ key[i], text[i] };
    }
    return protea_checkpoint_write(path, NULL, visit, a, note, 2 + COUNTS);
}

protea_status protea_adaptation_save_model(protea_adaptation *a, const char *path)
{
    PROTEA_TRY(protea_adaptation_check_open(a));
    return protea_model_save(&a->lane.model, path);
}

/* ---- loading */

static protea_status check_file(const protea_adaptation *a, const protea_st_file *file, const char *path)
{
    const char *algorithm = protea_st_metadata(file, META_ALGORITHM);
    if (algorithm == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "%s: not a state that protea_adaptation_save wrote", path);
    if (strcmp(algorithm, a->ops->name) != 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: a state of %s, one of %s wanted", path, algorithm, a->ops->name);
    return PROTEA_OK;
}

static protea_status check_tensor(void *self, const char *name, protea_tensor *t)
{
    if (t->dtype != PROTEA_F32 || protea_all_finite(t))
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: %s holds numbers that are not finite", (const char *)self, name);
}

static protea_status check_param(void *self, const char *name, protea_param *p)
{
    return check_tensor(self, name, &p->w);
}

static protea_status read_counts(protea_adaptation *a, const protea_st_file *file, const char *path)
{
    const char *key[COUNTS];
    int64_t *count[COUNTS];
    list_counts(a, key, count);
    for (int i = 0; i < COUNTS; i++)
        PROTEA_TRY(protea_checkpoint_number(file, key[i], count[i]));
    if (a->n_waiting < a->batch_size)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: %lld images wait, fewer than a batch of %lld wanted", path,
                       (long long)a->n_waiting, (long long)a->batch_size);
}

static protea_status read_state(protea_adaptation *a, const protea_st_file *file, const char *path)
{
    PROTEA_TRY(read_counts(a, file, path));
    PROTEA_TRY(protea_checkpoint_restore(file, visit, a));
    PROTEA_TRY(visit(a, &(protea_visitor){ check_param, check_tensor, (void *)path }));
    return protea_lane_loaded(&a->lane);
}

static void put_back(protea_adaptation *a, const protea_snapshot *before, int64_t *const count[COUNTS],
                     const int64_t value[COUNTS])
{
    for (int i = 0; i < COUNTS; i++)
        *count[i] = value[i];
    protea_snapshot_restore(before);
    protea_lane_loaded(&a->lane);
}

protea_status protea_adaptation_load(protea_adaptation *a, const char *path)
{
    const char *key[COUNTS];
    int64_t *count[COUNTS], value[COUNTS];
    protea_st_file *file;
    protea_snapshot *before = NULL;
    PROTEA_TRY(protea_adaptation_check_open(a));
    list_counts(a, key, count);
    for (int i = 0; i < COUNTS; i++)
        value[i] = *count[i];
    PROTEA_TRY(protea_st_open(&file, path));
    protea_status status = check_file(a, file, path);
    if (status == PROTEA_OK)
        status = protea_snapshot_new(&before, visit, a, true, true);
    if (status == PROTEA_OK)
        status = read_state(a, file, path);
    if (status != PROTEA_OK && before != NULL)
        put_back(a, before, count, value);
    protea_snapshot_free(before);
    protea_st_close(file);
    return status;
}
