#include "train/checkpoint.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool all_finite(const protea_tensor *t)
{
    if (t->dtype != PROTEA_F32)
        return true;
    const float *x = protea_f32(t);
    int64_t n = protea_count(t), bad = 0;
    for (int64_t i = 0; i < n; i++)
        bad += !(fabsf(x[i]) <= FLT_MAX);
    return bad == 0;
}

static protea_status add_tensor(void *self, const char *name, protea_tensor *t)
{
    if (!all_finite(t))
        return protea_fail(PROTEA_ERR_DIVERGED, "diverged: %s holds numbers that are not finite, so it is not saved; the last good "
                           "file stands; try a lower --lr", name);
    return protea_st_add(self, name, t);
}

static protea_status add_param(void *self, const char *name, protea_param *p)
{
    return add_tensor(self, name, &p->w);
}

static protea_status collect(protea_st_writer *w, protea_saved_fn visit, void *self, const protea_note *notes, int n_notes)
{
    protea_visitor visitor = { .param = add_param, .buffer = add_tensor, .self = w };
    for (int i = 0; i < n_notes; i++)
        PROTEA_TRY(protea_st_add_metadata(w, notes[i].key, notes[i].value));
    return visit(self, &visitor);
}

protea_status protea_checkpoint_write(const char *path, const char *previous, protea_saved_fn visit, void *self,
                                      const protea_note *notes, int n_notes)
{
    protea_st_writer *w;
    PROTEA_TRY(protea_st_writer_new(&w));
    protea_status status = collect(w, visit, self, notes, n_notes);
    if (status == PROTEA_OK)
        status = protea_st_write(w, path, previous);
    protea_st_writer_free(w);
    return status;
}

protea_status protea_checkpoint_save(const protea_rundir *run, const char *file, const char *previous, protea_saved_fn visit,
                                     void *self, const protea_note *notes, int n_notes)
{
    char path[PROTEA_PATH_MAX], old[PROTEA_PATH_MAX];
    PROTEA_TRY(protea_rundir_file(run, path, file));
    PROTEA_TRY(protea_rundir_file(run, old, previous == NULL ? "" : previous));
    return protea_checkpoint_write(path, previous == NULL ? NULL : old, visit, self, notes, n_notes);
}

/* *out NULL when there is no such file, or a damaged one, which the log then tells. */
static protea_status open_generation(const protea_ctx *cx, protea_st_file **out, const char *dir, const char *name, bool *damaged)
{
    char path[PROTEA_PATH_MAX];
    *out = NULL;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path || access(path, F_OK) != 0)
        return PROTEA_OK;
    protea_status status = protea_st_open(out, path);
    if (status != PROTEA_ERR_INPUT && status != PROTEA_ERR_IO)
        return status;
    *damaged = true;
    protea_log(cx, PROTEA_LOG_WARN, "%s", protea_last_error());
    return PROTEA_OK;
}

protea_status protea_checkpoint_open(const protea_ctx *cx, protea_st_file **out, const char *dir)
{
    bool damaged = false;
    PROTEA_TRY(open_generation(cx, out, dir, PROTEA_RUN_CHECKPOINT, &damaged));
    if (*out != NULL)
        return PROTEA_OK;
    PROTEA_TRY(open_generation(cx, out, dir, PROTEA_RUN_PREVIOUS, &damaged));
    if (*out != NULL)
        protea_log(cx, PROTEA_LOG_WARN, "%s/%s cannot be used: going back to the generation before it, step %s", dir,
                   PROTEA_RUN_CHECKPOINT, protea_st_metadata(*out, "protea.step"));
    else if (damaged)
        return protea_fail(PROTEA_ERR_INPUT, "%s: no generation of the checkpoint is whole (%s)", dir, protea_last_error());
    return PROTEA_OK;
}

typedef struct restore {
    const protea_st_file *file;
    int64_t found;
} restore;

static protea_status copy_tensor(void *self, const char *name, protea_tensor *t)
{
    restore *r = self;
    const protea_tensor *saved = protea_st_find(r->file, name);
    if (saved == NULL)
        return protea_fail(PROTEA_ERR_INPUT, "the checkpoint has no tensor %s, which this run wants", name);
    r->found++;
    return protea_st_copy("the checkpoint", name, t, saved);
}

static protea_status copy_param(void *self, const char *name, protea_param *p)
{
    return copy_tensor(self, name, &p->w);
}

protea_status protea_checkpoint_restore(const protea_st_file *file, protea_saved_fn visit, void *self)
{
    restore r = { .file = file };
    protea_visitor visitor = { .param = copy_param, .buffer = copy_tensor, .self = &r };
    PROTEA_TRY(visit(self, &visitor));
    if (r.found != protea_st_count(file))
        return protea_fail(PROTEA_ERR_INPUT, "the checkpoint has %lld tensors, this run wants %lld",
                           (long long)protea_st_count(file), (long long)r.found);
    return PROTEA_OK;
}

protea_status protea_checkpoint_number(const protea_st_file *file, const char *key, int64_t *out)
{
    const char *text = protea_st_metadata(file, key);
    char *end = NULL;
    errno = 0;
    long long value = text == NULL ? -1 : strtoll(text, &end, 10);
    if (text == NULL || end == text || *end != 0 || errno != 0 || value < 0)
        return protea_fail(PROTEA_ERR_INPUT, "the checkpoint's %s is %s, a whole number wanted", key,
                           text == NULL ? "missing" : text);
    *out = value;
    return PROTEA_OK;
}
