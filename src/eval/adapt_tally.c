#include "eval/adapt_tally.h"

#include <math.h>

#include "base/alloc.h"

protea_status protea_tally_init(protea_tally *t, int n_classes, int n_columns)
{
    size_t c = (size_t)n_classes, columns = (size_t)n_columns;
    *t = (protea_tally){ .n_classes = n_classes, .n_columns = n_columns };
    PROTEA_TRY(protea_new(&t->cell, columns, sizeof *t->cell, "a table"));
    PROTEA_TRY(protea_new(&t->counts, columns * 2, c * sizeof *t->counts, "a table"));
    PROTEA_TRY(protea_new(&t->confusion, c, c * sizeof *t->confusion, "a confusion matrix"));
    for (size_t i = 0; i < columns; i++) {
        t->cell[i].class_n = t->counts + 2 * i * c;
        t->cell[i].class_right = t->cell[i].class_n + c;
    }
    return PROTEA_OK;
}

void protea_tally_release(protea_tally *t)
{
    protea_free(t->cell);
    protea_free(t->counts);
    protea_free(t->confusion);
    protea_free(t->point);
    *t = (protea_tally){ 0 };
}

static void count_image(protea_tally *t, protea_tally_cell *cell, const protea_answer *answer, int32_t label)
{
    cell->n++;
    cell->entropy += (double)answer->entropy;
    if (label < 0)
        return;
    bool right = answer->label == label;
    cell->labelled++;
    cell->right += right;
    cell->class_n[label]++;
    cell->class_right[label] += right;
    t->confusion[(int64_t)label * t->n_classes + answer->label]++;
}

static protea_status add_point(protea_tally *t, const protea_tally_batch *b)
{
    if (t->n_points == t->capacity) {
        int64_t capacity = t->capacity > 0 ? 2 * t->capacity : 64;
        PROTEA_TRY(protea_grow(&t->point, (size_t)capacity, sizeof *t->point, "a curve"));
        t->capacity = capacity;
    }
    int64_t seen = t->n_points > 0 ? t->point[t->n_points - 1].seen : 0;
    protea_tally_point p = { .seen = seen + b->n, .n = (int32_t)b->n, .rolled_back = b->rolled_back };
    double entropy = 0;
    for (int64_t i = 0; i < b->n; i++) {
        p.labelled += b->label[i] >= 0;
        p.right += b->label[i] >= 0 && b->answer[i].label == b->label[i];
        entropy += (double)b->answer[i].entropy;
    }
    p.entropy = (float)(entropy / (double)b->n);
    t->point[t->n_points++] = p;
    return PROTEA_OK;
}

protea_status protea_tally_add(protea_tally *t, const protea_tally_batch *b)
{
    PROTEA_TRY(add_point(t, b));
    for (int64_t i = 0; i < b->n; i++) {
        protea_tally_cell *cell = &t->cell[b->column[i]];
        count_image(t, cell, &b->answer[i], b->label[i]);
        cell->seconds += b->seconds / (double)b->n;
    }
    t->updates += b->out->updated;
    t->resets += b->out->was_reset;
    t->bank_rows = b->out->bank_rows;
    t->bank_bytes = b->out->bank_bytes;
    return PROTEA_OK;
}

protea_status protea_tally_total(protea_tally_cell *total, const protea_tally *t)
{
    *total = (protea_tally_cell){ 0 };
    PROTEA_TRY(protea_new(&total->class_n, (size_t)t->n_classes, sizeof *total->class_n, "a table"));
    PROTEA_TRY(protea_new(&total->class_right, (size_t)t->n_classes, sizeof *total->class_right, "a table"));
    for (int i = 0; i < t->n_columns; i++) {
        const protea_tally_cell *cell = &t->cell[i];
        total->n += cell->n;
        total->labelled += cell->labelled;
        total->right += cell->right;
        total->entropy += cell->entropy;
        total->seconds += cell->seconds;
        for (int c = 0; c < t->n_classes; c++) {
            total->class_n[c] += cell->class_n[c];
            total->class_right[c] += cell->class_right[c];
        }
    }
    return PROTEA_OK;
}

double protea_tally_accuracy(int64_t right, int64_t labelled)
{
    return labelled > 0 ? (double)right / (double)labelled : (double)NAN;
}

double protea_tally_mean(const protea_tally *t)
{
    double sum = 0;
    for (int i = 0; i < t->n_columns; i++)
        sum += protea_tally_accuracy(t->cell[i].right, t->cell[i].labelled);
    return sum / t->n_columns;
}
