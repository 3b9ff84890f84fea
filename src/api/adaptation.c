/* A classifier that adapts while it is used: see protea/adapt.h. */
#include "api/adaptation.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "eval/answer.h"

/* ---- making */

static protea_status fill(protea_adaptation *a, const char *algorithm)
{
    PROTEA_TRY(protea_adapter_find(&a->ops, algorithm));
    a->options = protea_options_new();
    if (a->options == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "options: memory could not be had");
    PROTEA_TRY(protea_adapter_options_add(&a->own, a->options, a->ops));
    PROTEA_TRY(protea_options_add(a->options, "adaptation", protea_adapt_table, &a->adapt));
    protea_adapt_settle(&a->adapt, a->ops);
    PROTEA_TRY(protea_options_add(a->options, "guard", protea_guard_table, &a->guard));
    return protea_options_add(a->options, "machine", protea_session_table, &a->session_opts);
}

protea_status protea_adaptation_new(protea_adaptation **out, const char *algorithm)
{
    protea_adaptation *a;
    *out = NULL;
    PROTEA_TRY(protea_new(&a, 1, sizeof *a, "an adaptation"));
    protea_status status = fill(a, algorithm);
    if (status != PROTEA_OK) {
        protea_adaptation_free(a);
        return status;
    }
    *out = a;
    return PROTEA_OK;
}

static void close_model(protea_adaptation *a)
{
    protea_lane_close(&a->lane);
    protea_session_close(&a->session);
    protea_free(a->waiting);
    protea_free(a->asked);
    a->waiting = a->asked = NULL;
}

void protea_adaptation_free(protea_adaptation *a)
{
    if (a == NULL)
        return;
    close_model(a);
    protea_image_release(&a->image);
    protea_augment_buffer_release(&a->buffer);
    protea_options_free(a->options);
    protea_adapter_options_release(&a->own);
    protea_free(a);
}

protea_options *protea_adaptation_options(protea_adaptation *a)
{
    return a->options;
}

static protea_status open_model(protea_adaptation *a, const char *model)
{
    void *filled;
    protea_lane_opts opts = { .ops = a->ops, .adapt = a->adapt, .guard = a->guard };
    PROTEA_TRY(protea_session_open(&a->session, &a->session_opts, &a->hooks));
    PROTEA_TRY(protea_adapter_options_fill(&filled, a->ops, a->options));
    opts.filled = filled;
    protea_status status = protea_lane_open(&a->session.cx, &a->lane, model, &opts);
    protea_free(filled);
    PROTEA_TRY(status);
    a->batch_size = a->adapt.batch_size;
    a->view = 3 * (int64_t)a->lane.model.image_size * a->lane.model.image_size;
    PROTEA_TRY(protea_new(&a->waiting, (size_t)a->batch_size, (size_t)a->view * sizeof *a->waiting, "images that wait"));
    return protea_new(&a->asked, (size_t)a->batch_size, (size_t)a->view * sizeof *a->asked, "images");
}

protea_status protea_adaptation_open(protea_adaptation *a, const char *model, const protea_hooks *hooks)
{
    if (a->opened)
        return protea_fail(PROTEA_ERR_USAGE, "%s: this adaptation is open already, on %s", model, a->lane.model.path);
    if (hooks != NULL)
        a->hooks = *hooks;
    protea_status status = open_model(a, model);
    a->opened = status == PROTEA_OK;
    if (!a->opened)
        close_model(a);
    return status;
}

protea_status protea_adaptation_check_open(const protea_adaptation *a)
{
    return a->opened ? PROTEA_OK : protea_fail(PROTEA_ERR_USAGE, "%s: no model is open", a->ops->name);
}

/* ---- asking */

int protea_adaptation_classes(const protea_adaptation *a)
{
    return a->lane.model.classes.n;
}

int protea_adaptation_image_size(const protea_adaptation *a)
{
    return a->lane.model.image_size;
}

int64_t protea_adaptation_batch_size(const protea_adaptation *a)
{
    return a->batch_size;
}

const char *protea_adaptation_class(const protea_adaptation *a, int label)
{
    return label >= 0 && label < a->lane.model.classes.n ? a->lane.model.classes.name[label] : "";
}

void protea_adaptation_ask(const protea_adaptation *a, protea_adaptation_status *status)
{
    *status = a->status;
    status->waiting = a->n_waiting;
    status->rollbacks = a->lane.rollbacks;
    status->trouble = a->lane.trouble;
}

/* ---- frames */

static protea_status check_values(const protea_adaptation *a, const float *values, int64_t i)
{
    for (int64_t k = 0; k < a->view; k++)
        if (!isfinite(values[k]))
            return protea_fail(PROTEA_ERR_INPUT, "frame %lld: value %lld is not finite", (long long)i, (long long)k);
    return PROTEA_OK;
}

static protea_status check_pixels(const protea_frame *f, int64_t i)
{
    const protea_limits limits = protea_limits_default();
    if (f->rgb == NULL || f->width < 1 || f->height < 1 || (int64_t)f->width * f->height > limits.max_pixels)
        return protea_fail(PROTEA_ERR_INPUT, "frame %lld: %s of %d x %d pixels found, at least 1 and at most %lld wanted",
                           (long long)i, f->rgb == NULL ? "no memory" : "an image", f->width, f->height,
                           (long long)limits.max_pixels);
    if (f->stride != 0 && f->stride < 3 * (size_t)f->width)
        return protea_fail(PROTEA_ERR_INPUT, "frame %lld: a stride of %zu bytes found, at least %zu wanted", (long long)i,
                           f->stride, 3 * (size_t)f->width);
    return PROTEA_OK;
}

/* All of a call's frames are looked at before anything is changed. */
static protea_status check_frames(const protea_adaptation *a, const protea_frame *frames, int64_t n)
{
    PROTEA_TRY(protea_adaptation_check_open(a));
    for (int64_t i = 0; i < n; i++)
        PROTEA_TRY(frames[i].values != NULL ? check_values(a, frames[i].values, i) : check_pixels(&frames[i], i));
    return PROTEA_OK;
}

static protea_status view_of(protea_adaptation *a, float *x, const protea_frame *f)
{
    const protea_model *m = &a->lane.model;
    size_t row = 3 * (size_t)f->width, stride = f->stride != 0 ? f->stride : row;
    if (f->values != NULL) {
        memcpy(x, f->values, (size_t)a->view * sizeof *x);
        return PROTEA_OK;
    }
    PROTEA_TRY(protea_image_reserve(&a->image, f->width, f->height));
    for (int y = 0; y < f->height; y++)
        memcpy(a->image.px + (size_t)y * row, f->rgb + (size_t)y * stride, row);
    return protea_plain_view(x, &a->image, m->image_size, m->mean, m->std, &a->buffer);
}

static protea_tensor images(const protea_adaptation *a, float *x, int64_t n)
{
    int64_t side = a->lane.model.image_size;
    return (protea_tensor){ .data = x, .dtype = PROTEA_F32, .n_dims = 4, .dim = { n, 3, side, side } };
}

/* Rows first .. first + n of what the lane said last. */
static void take_predictions(const protea_adaptation *a, protea_prediction *out, int64_t first, int64_t n)
{
    int c = a->lane.model.classes.n;
    for (int64_t i = 0; i < n; i++) {
        protea_answer answer = protea_answer_of(a->lane.probability + (first + i) * c, c);
        out[i] = (protea_prediction){ answer.label, answer.probability, answer.entropy };
    }
}

/* ---- predicting */

static protea_status predict_rows(protea_adaptation *a, float *x, int64_t n, protea_prediction *predictions)
{
    const protea_tensor rows = images(a, x, n);
    PROTEA_TRY(protea_lane_predict(&a->session.cx, &a->lane, &rows));
    if (predictions != NULL)
        take_predictions(a, predictions, 0, n);
    return PROTEA_OK;
}

protea_status protea_adaptation_predict(protea_adaptation *a, const protea_frame *frames, int64_t n,
                                        protea_prediction *predictions, float *probabilities)
{
    PROTEA_TRY(check_frames(a, frames, n));
    for (int64_t done = 0; done < n; done += a->batch_size) {
        int64_t now = n - done < a->batch_size ? n - done : a->batch_size, c = a->lane.model.classes.n;
        for (int64_t i = 0; i < now; i++)
            PROTEA_TRY(view_of(a, a->asked + i * a->view, &frames[done + i]));
        PROTEA_TRY(predict_rows(a, a->asked, now, predictions != NULL ? predictions + done : NULL));
        if (probabilities != NULL)
            memcpy(probabilities + done * c, a->lane.probability, (size_t)(now * c) * sizeof *probabilities);
    }
    return PROTEA_OK;
}

/* ---- adapting */

static protea_status adapt_waiting(protea_adaptation *a)
{
    const protea_tensor batch = images(a, a->waiting, a->n_waiting);
    protea_adapt_out out;
    PROTEA_TRY(protea_lane_adapt(&a->session.cx, &a->lane, &batch, &out));
    a->n_waiting = 0;
    a->status.batches++;
    a->status.updates += out.updated;
    a->status.bank_rows = out.bank_rows;
    a->status.bank_bytes = out.bank_bytes;
    a->status.loss = out.loss;
    a->status.entropy = out.entropy;
    return PROTEA_OK;
}

/* Takes in frames until a batch is full or there are no more: *taken of them. */
static protea_status take_in(protea_adaptation *a, const protea_frame *frames, int64_t n, protea_prediction *predictions,
                             int64_t *taken)
{
    int64_t before = a->n_waiting, room = a->batch_size - before;
    *taken = n < room ? n : room;
    for (int64_t i = 0; i < *taken; i++)
        PROTEA_TRY(view_of(a, a->waiting + (before + i) * a->view, &frames[i]));
    a->n_waiting = before + *taken;
    bool full = a->n_waiting == a->batch_size;
    protea_status status = full ? adapt_waiting(a)
                         : predictions != NULL ? predict_rows(a, a->waiting + before * a->view, *taken, predictions) : PROTEA_OK;
    if (status != PROTEA_OK)
        a->n_waiting = before;
    else if (full && predictions != NULL)
        take_predictions(a, predictions, before, *taken);
    return status;
}

protea_status protea_adaptation_adapt(protea_adaptation *a, const protea_frame *frames, int64_t n,
                                      protea_prediction *predictions)
{
    PROTEA_TRY(check_frames(a, frames, n));
    for (int64_t done = 0, taken; done < n; done += taken) {
        PROTEA_TRY(take_in(a, frames + done, n - done, predictions != NULL ? predictions + done : NULL, &taken));
        a->status.images += taken;
    }
    return PROTEA_OK;
}

protea_status protea_adaptation_flush(protea_adaptation *a)
{
    PROTEA_TRY(protea_adaptation_check_open(a));
    return a->n_waiting > 0 ? adapt_waiting(a) : PROTEA_OK;
}

protea_status protea_adaptation_reset(protea_adaptation *a)
{
    PROTEA_TRY(protea_adaptation_check_open(a));
    a->n_waiting = 0;
    return protea_lane_reset(&a->session.cx, &a->lane);
}
