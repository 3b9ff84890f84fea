/* How well a model did on a stream: counted per column of a table (a corruption), per class, and over time. */
#ifndef PROTEA_EVAL_ADAPT_TALLY_H
#define PROTEA_EVAL_ADAPT_TALLY_H

#include "adapt/adapter.h"
#include "eval/answer.h"

/* One column of the table. Accuracy is right / labelled, where labelled > 0. */
typedef struct protea_tally_cell {
    int64_t n, labelled, right;
    int64_t *class_n, *class_right;  /* (C) by true class; owned by the tally */
    double entropy;                  /* sum over n */
    double seconds;                  /* of adapting and predicting, reading left out */
} protea_tally_cell;

/* One batch, for curves over time. */
typedef struct protea_tally_point {
    int64_t seen;                    /* images of the stream before its end */
    int32_t n, labelled, right;
    float entropy;                   /* mean */
    bool rolled_back;
} protea_tally_point;

typedef struct protea_tally {
    int n_classes, n_columns;
    protea_tally_cell *cell;         /* (n_columns) owned */
    int64_t *counts;                 /* (n_columns,2,C) what the cells' class counts point into; owned */
    int64_t *confusion;              /* (C,C) rows the true class, columns the answer; owned */
    protea_tally_point *point;       /* (n_points) owned */
    int64_t n_points, capacity;
    int64_t updates, resets;         /* batches on which parameters moved; on which all was reset */
    int64_t bank_rows;               /* after the last batch */
    size_t bank_bytes;
} protea_tally;

protea_status protea_tally_init(protea_tally *t, int n_classes, int n_columns); /* also on failure: release */
void protea_tally_release(protea_tally *t);

/* One batch: image i was answered, is of class label[i] (-1: not known) and belongs to column[i]. seconds is shared out
 * evenly. */
typedef struct protea_tally_batch {
    int64_t n;
    const protea_answer *answer;     /* (n) */
    const int32_t *label;            /* (n) */
    const int *column;               /* (n) */
    double seconds;
    const protea_adapt_out *out;
    bool rolled_back;
} protea_tally_batch;
protea_status protea_tally_add(protea_tally *t, const protea_tally_batch *b);

/* The sum of all columns; its class counts belong to the caller (protea_free both). */
protea_status protea_tally_total(protea_tally_cell *total, const protea_tally *t);
/* right / labelled, or NaN. */
double protea_tally_accuracy(int64_t right, int64_t labelled);
/* The mean of the columns' accuracies, as tables have it; NaN where a column has no labels. */
double protea_tally_mean(const protea_tally *t);

#endif
