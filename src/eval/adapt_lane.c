#include "eval/adapt_lane.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { GOOD_EVERY = 10 }; /* batches between two copies of a good state */

/* ---- opening */

static protea_classifier classifier_of(const protea_model *m)
{
    return (protea_classifier){ m->backbone, m->fc };
}

static protea_status open_source(protea_ctx *cx, protea_lane *lane, const char *model_name, const protea_lane_opts *opts)
{
    const protea_adapter_ops *ops;
    void *filled;
    PROTEA_TRY(protea_model_open_classifier(cx, &lane->source, model_name, opts->image_size));
    PROTEA_TRY(protea_adapter_find(&ops, "source"));
    PROTEA_TRY(protea_new(&filled, 1, ops->size, "the guard"));
    const protea_classifier classifier = classifier_of(&lane->source);
    protea_status status = protea_adapter_new(&lane->unadapted, cx, ops, filled, &classifier, &opts->adapt);
    protea_free(filled);
    return status;
}

static protea_status open_guard(protea_ctx *cx, protea_lane *lane, const char *model_name, const protea_lane_opts *opts)
{
    lane->guarded = opts->guard.guard != 0;
    if (!lane->guarded)
        return PROTEA_OK;
    PROTEA_TRY(protea_guard_init(&lane->guard, &opts->guard, lane->model.classes.n));
    PROTEA_TRY(open_source(cx, lane, model_name, opts));
    return protea_snapshot_new(&lane->good, protea_adapter_visit, lane->adapter, true, true);
}

protea_status protea_lane_open(protea_ctx *cx, protea_lane *lane, const char *model_name, const protea_lane_opts *opts)
{
    PROTEA_TRY(protea_model_open_classifier(cx, &lane->model, model_name, opts->image_size));
    const protea_classifier classifier = classifier_of(&lane->model);
    PROTEA_TRY(protea_adapter_new(&lane->adapter, cx, opts->ops, opts->filled, &classifier, &opts->adapt));
    return open_guard(cx, lane, model_name, opts);
}

void protea_lane_close(protea_lane *lane)
{
    protea_snapshot_free(lane->good);
    protea_adapter_free(lane->adapter);
    protea_adapter_free(lane->unadapted);
    protea_guard_release(&lane->guard);
    protea_model_close(&lane->source);
    protea_model_close(&lane->model);
    protea_free(lane->probability);
    protea_free(lane->source_probability);
    *lane = (protea_lane){ 0 };
}

/* ---- probabilities */

/* Softmax of logits (N,C), which live in an arena, into the lane's own memory. */
static protea_status keep_softmax(protea_ctx *cx, float **probability, const protea_tensor *logits)
{
    int64_t n = logits->dim[0], c = logits->dim[1];
    float *log_sum;
    PROTEA_TRY(protea_grow(probability, (size_t)(n * c), sizeof **probability, "predictions"));
    PROTEA_TRY(protea_new(&log_sum, (size_t)n, sizeof *log_sum, "predictions"));
    cx->be->k.softmax(cx->be, *probability, log_sum, protea_f32(logits), 1, n, c);
    protea_free(log_sum);
    return PROTEA_OK;
}

protea_status protea_lane_predict(protea_ctx *cx, protea_lane *lane, const protea_tensor *x)
{
    protea_tensor logits;
    PROTEA_TRY(protea_adapter_predict(lane->adapter, cx, x, &logits));
    lane->rows = x->dim[0];
    return keep_softmax(cx, &lane->probability, &logits);
}

/* ---- the guard */

/* |theta - theta_source|^2 and |theta_source|^2: both models name their parameters in one order. */
typedef struct distance {
    protea_param **source;  /* (n) */
    size_t n, next;
    double difference, norm;
} distance;

static protea_status note_param(void *self, const char *name, protea_param *p)
{
    distance *d = self;
    (void)name;
    PROTEA_TRY(protea_grow(&d->source, d->n + 1, sizeof *d->source, "the guard"));
    d->source[d->n++] = p;
    return PROTEA_OK;
}

static protea_status add_distance(void *self, const char *name, protea_param *p)
{
    distance *d = self;
    (void)name;
    const float *w = protea_f32(&p->w), *w0 = protea_f32(&d->source[d->next++]->w);
    for (int64_t i = 0; i < protea_count(&p->w); i++) {
        double by = (double)w[i] - w0[i];
        d->difference += by * by;
        d->norm += (double)w0[i] * w0[i];
    }
    return PROTEA_OK;
}

static protea_status visit_both(const protea_model *m, const protea_visitor *v)
{
    PROTEA_TRY(protea_visit(m->backbone, "", v));
    return protea_visit(m->fc, "fc", v);
}

static protea_status measure_drift(const protea_lane *lane, double *drift)
{
    distance d = { 0 };
    protea_status status = visit_both(&lane->source, &(protea_visitor){ .param = note_param, .self = &d });
    if (status == PROTEA_OK)
        status = visit_both(&lane->model, &(protea_visitor){ .param = add_distance, .self = &d });
    *drift = sqrt(d.difference / fmax(d.norm, 1e-30));
    protea_free(d.source);
    return status;
}

/* Back to the last good state; to the source's when that proved to be none: the model was never well since. */
static protea_status go_back(protea_ctx *cx, protea_lane *lane, const char *found)
{
    bool again = lane->rollbacks > 0 && lane->good_at <= lane->sick_at;
    if (again) {
        PROTEA_TRY(protea_adapter_reset(lane->adapter, cx));
        protea_snapshot_take(lane->good);
    } else {
        protea_snapshot_restore(lane->good);
        PROTEA_TRY(protea_adapter_loaded(lane->adapter));
    }
    protea_guard_restart(&lane->guard);
    lane->rollbacks++;
    lane->sick_at = lane->batches;
    snprintf(lane->trouble, sizeof lane->trouble, "after batch %lld: %s; back to %s", (long long)lane->batches, found,
             again ? "the source model" : "the last good state");
    protea_log(cx, PROTEA_LOG_WARN, "guard: %s", lane->trouble);
    return PROTEA_OK;
}

static protea_status watch(protea_ctx *cx, protea_lane *lane, const protea_tensor *x)
{
    char found[PROTEA_GUARD_TEXT];
    double drift;
    protea_tensor logits;
    PROTEA_TRY(protea_adapter_predict(lane->unadapted, cx, x, &logits));
    PROTEA_TRY(keep_softmax(cx, &lane->source_probability, &logits));
    protea_guard_watch(&lane->guard, lane->probability, lane->source_probability, lane->rows);
    PROTEA_TRY(measure_drift(lane, &drift));
    double strain = protea_guard_strain(&lane->guard, drift, found, sizeof found);
    if (!(strain <= 1))
        return go_back(cx, lane, found);
    if (strain <= PROTEA_GUARD_WELL && protea_guard_is_awake(&lane->guard) && lane->batches - lane->good_at >= GOOD_EVERY) {
        protea_snapshot_take(lane->good);
        lane->good_at = lane->batches;
    }
    return PROTEA_OK;
}

/* ---- adapting */

protea_status protea_lane_adapt(protea_ctx *cx, protea_lane *lane, const protea_tensor *x, protea_adapt_out *out)
{
    protea_tensor logits;
    PROTEA_TRY(protea_adapter_adapt(lane->adapter, cx, x, &logits, out));
    lane->rows = x->dim[0];
    PROTEA_TRY(keep_softmax(cx, &lane->probability, &logits));
    lane->batches++;
    return lane->guarded ? watch(cx, lane, x) : PROTEA_OK;
}

protea_status protea_lane_loaded(protea_lane *lane)
{
    PROTEA_TRY(protea_adapter_loaded(lane->adapter));
    if (lane->guarded) {
        protea_snapshot_take(lane->good);
        protea_guard_restart(&lane->guard);
        lane->good_at = lane->batches;
    }
    return PROTEA_OK;
}

protea_status protea_lane_reset(protea_ctx *cx, protea_lane *lane)
{
    PROTEA_TRY(protea_adapter_reset(lane->adapter, cx));
    return protea_lane_loaded(lane);
}
