/* What the verbs that look at images share: the options of a data set, opening it, and watching features being made. */
#ifndef PROTEA_API_IMAGES_H
#define PROTEA_API_IMAGES_H

#include "api/verb.h"
#include "eval/features.h"

typedef struct protea_images_opts {
    int64_t image_size; /* 0: the model's */
    int64_t limit;      /* 0: all */
    int32_t no_labels;
    int32_t exif;       /* pictures are turned as their EXIF orientation says */
    protea_several several; /* images of several classes; no option, but the verb's: refused unless it says otherwise */
} protea_images_opts;
extern const protea_opt protea_images_table[];
extern const protea_opt protea_data_table[]; /* without image_size: for verbs without a model */

/* *out: owned. seed: of the limit's choice. */
protea_status protea_images_open(protea_source **out, const char *spec, const protea_images_opts *opts, uint64_t seed);

/* What a table says of an image first: row, path, label, class; the last two are empty where there are none. */
enum { PROTEA_IMAGE_COLUMNS = 4 };
typedef struct protea_image_row {
    char row[24], label[24];
    const char *field[PROTEA_IMAGE_COLUMNS]; /* row, label of this struct; the others borrowed from the source */
} protea_image_row;
extern const char *const protea_image_columns[PROTEA_IMAGE_COLUMNS];
void protea_image_row_fill(protea_image_row *out, const protea_source *source, int64_t i, int64_t row);

/* Reports features as progress and ends them when the user asks to stop. */
typedef struct protea_watch {
    protea_ticker ticker;
    const protea_hooks *hooks;
    const char *stage;
    int64_t total;
} protea_watch;
void protea_watch_start(protea_watch *w, const protea_hooks *hooks, const char *stage, const protea_source *source);
protea_status protea_watch_features(void *watch, int64_t done); /* a protea_features_progress */

/* Warns of a damaged archive and of images that could not be used. Errors: PROTEA_ERR_INPUT when none could. */
protea_status protea_images_check(const protea_ctx *cx, const protea_source *source, const char *spec);

#endif
