#include "eval/adapt_run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "eval/views.h"

/* Room for one batch; good rows lie at its front. */
typedef struct room {
    int64_t n, side;             /* good images; of a view */
    protea_views views;
    protea_place *place;         /* (batch_size), as the rest */
    int *side_of;
    float *x;                    /* (batch_size,3,side,side) */
    protea_stream_item *item;
    int32_t *label;
    int *column;
    protea_answer *answer;
} room;

int protea_adapt_columns(const protea_adapt_run *run)
{
    return run->n_corruptions > 0 ? run->n_corruptions : 1;
}

const protea_contender *protea_adapt_find(const protea_adapt_run *run, const char *name)
{
    for (int k = 0; k < run->n_contenders; k++)
        if (strcmp(run->contender[k].name, name) == 0)
            return &run->contender[k];
    return NULL;
}

void protea_contender_close(protea_contender *c)
{
    protea_tally_release(&c->tally);
    protea_lane_close(&c->lane);
}

static protea_status room_new(room *r, const protea_adapt_run *run)
{
    const protea_model *model = &run->contender[0].lane.model;
    size_t n = (size_t)run->batch_size;
    *r = (room){ .side = model->image_size };
    PROTEA_TRY(protea_views_init(&r->views, model, false)); /* a batch has one size */
    r->views.seed = run->seed;
    PROTEA_TRY(protea_new(&r->place, n, sizeof *r->place, "a batch"));
    PROTEA_TRY(protea_new(&r->side_of, n, sizeof *r->side_of, "a batch"));
    PROTEA_TRY(protea_new(&r->x, n * 3, (size_t)(r->side * r->side) * sizeof *r->x, "a batch of views"));
    PROTEA_TRY(protea_new(&r->item, n, sizeof *r->item, "a batch"));
    PROTEA_TRY(protea_new(&r->label, n, sizeof *r->label, "a batch"));
    PROTEA_TRY(protea_new(&r->column, n, sizeof *r->column, "a batch"));
    return protea_new(&r->answer, n, sizeof *r->answer, "a batch");
}

static void room_free(room *r)
{
    protea_views_release(&r->views);
    protea_free(r->place);
    protea_free(r->side_of);
    protea_free(r->x);
    protea_free(r->item);
    protea_free(r->label);
    protea_free(r->column);
    protea_free(r->answer);
}

static protea_tensor images(const room *r)
{
    return (protea_tensor){ .data = r->x, .dtype = PROTEA_F32, .n_dims = 4, .dim = { r->n, 3, r->side, r->side } };
}

/* Closes the gaps that bad images left. */
static void drop_bad(room *r, int64_t n)
{
    int64_t view = 3 * r->side * r->side;
    r->n = 0;
    for (int64_t i = 0; i < n; i++) {
        if (r->side_of[i] == 0)
            continue;
        if (r->n < i)
            memmove(r->x + r->n * view, r->x + i * view, (size_t)view * sizeof *r->x);
        r->item[r->n++] = r->item[i];
    }
}

static protea_status read_items(room *r, protea_source *source, const protea_adapt_run *run, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const protea_stream_item *it = &r->item[i];
        r->place[i] = (protea_place){ source, it->image, it->corruption < 0 ? -1 : run->corruption[it->corruption],
                                      it->severity };
    }
    PROTEA_TRY(protea_views_read(&r->views, r->place, n, r->x, r->side_of));
    drop_bad(r, n);
    return PROTEA_OK;
}

static protea_status read_batch(room *r, const protea_adapt_run *run, int64_t first, int64_t n)
{
    memcpy(r->item, run->stream->item + first, (size_t)n * sizeof *r->item);
    PROTEA_TRY(read_items(r, run->source, run, n));
    for (int64_t i = 0; i < r->n; i++) {
        int32_t label = protea_source_label(run->source, r->item[i].image);
        r->label[i] = run->class_map != NULL && label >= 0 ? run->class_map[label] : -1;
        r->column[i] = r->item[i].corruption < 0 ? 0 : r->item[i].corruption;
    }
    return PROTEA_OK;
}

/* One contender's turn with the batch. */
static protea_status take_turn(protea_ctx *cx, const protea_adapt_run *run, room *r, protea_contender *c)
{
    const protea_tensor x = images(r);
    int n_classes = c->lane.model.classes.n;
    int64_t rollbacks = c->lane.rollbacks;
    protea_adapt_out out;
    double start = protea_seconds();
    PROTEA_TRY(protea_lane_adapt(cx, &c->lane, &x, &out));
    double seconds = protea_seconds() - start;
    for (int64_t i = 0; i < r->n; i++)
        r->answer[i] = protea_answer_of(c->lane.probability + i * n_classes, n_classes);
    const protea_tally_batch batch = { r->n, r->answer, r->label, r->column, seconds, &out, c->lane.rollbacks > rollbacks };
    PROTEA_TRY(protea_tally_add(&c->tally, &batch));
    const protea_adapt_answers answers = { c, r->n, r->item, r->answer, r->label };
    return run->answered != NULL ? run->answered(run->self, &answers) : PROTEA_OK;
}

static protea_status run_part(protea_ctx *cx, const protea_adapt_run *run, room *r, const protea_stream_part *part)
{
    for (int k = 0; k < run->n_contenders && part->fresh; k++)
        PROTEA_TRY(protea_lane_reset(cx, &run->contender[k].lane));
    for (int64_t done = 0; done < part->n; done += run->batch_size) {
        int64_t n = part->n - done < run->batch_size ? part->n - done : run->batch_size;
        PROTEA_TRY(read_batch(r, run, part->first + done, n));
        for (int k = 0; k < run->n_contenders && r->n > 0; k++)
            PROTEA_TRY(take_turn(cx, run, r, &run->contender[k]));
        if (run->progress != NULL)
            PROTEA_TRY(run->progress(run->self, part->first + done + n));
    }
    return PROTEA_OK;
}

protea_status protea_adapt_stream(protea_ctx *cx, const protea_adapt_run *run)
{
    room r;
    protea_status status = room_new(&r, run);
    for (int p = 0; p < run->stream->n_parts && status == PROTEA_OK; p++)
        status = run_part(cx, run, &r, &run->stream->part[p]);
    room_free(&r);
    return status;
}

/* ---- training data, for those who ask */

static protea_status show_batch(protea_ctx *cx, const protea_adapt_run *run, room *r, protea_source *source, int64_t first,
                                int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        r->item[i] = (protea_stream_item){ first + i, -1, 0 };
    PROTEA_TRY(read_items(r, source, run, n));
    const protea_tensor x = images(r);
    for (int k = 0; k < run->n_contenders && r->n > 0; k++)
        PROTEA_TRY(protea_adapter_source(run->contender[k].lane.adapter, cx, &x));
    return PROTEA_OK;
}

protea_status protea_adapt_show_source(protea_ctx *cx, const protea_adapt_run *run, protea_source *source, int64_t n_images)
{
    room r;
    protea_status status = room_new(&r, run);
    for (int64_t done = 0; done < n_images && status == PROTEA_OK; done += run->batch_size) {
        int64_t n = n_images - done < run->batch_size ? n_images - done : run->batch_size;
        status = show_batch(cx, run, &r, source, done, n);
    }
    room_free(&r);
    return status;
}
