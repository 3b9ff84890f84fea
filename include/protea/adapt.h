/* A classifier that adapts while it is used, for applications: images go in one by one or in batches, predictions come at
 * once, and the model follows the images it meets, without labels.
 *
 *     protea_adaptation *a;
 *     protea_adaptation_new(&a, "tent");
 *     protea_options_set(protea_adaptation_options(a), "guard", "true", PROTEA_FROM_FLAG);
 *     protea_adaptation_open(a, "runs/classes", NULL);
 *     while (camera_gives(&frame)) {
 *         protea_prediction p;
 *         protea_adaptation_adapt(a, &frame, 1, &p);
 *         puts(protea_adaptation_class(a, p.label));
 *     }
 *     protea_adaptation_save(a, "adapted.safetensors");
 *     protea_adaptation_free(a);
 *
 * Memory does not grow with the stream. An object belongs to one thread at a time; several objects are independent. Nothing is
 * printed. Every call that fails leaves the model as it was. */
#ifndef PROTEA_ADAPT_H
#define PROTEA_ADAPT_H

#include <stddef.h>
#include <stdint.h>

#include <protea/job.h>
#include <protea/options.h>
#include <protea/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct protea_adaptation protea_adaptation;

/* One image; borrowed during the call. */
typedef struct protea_frame {
    const uint8_t *rgb;   /* (height, width, 3), rows from the top; resized and cut as the model wants it. Or NULL, and: */
    int width, height;
    size_t stride;        /* bytes from row to row; 0: 3 * width */
    const float *values;  /* (3,S,S), S the model's image size: colours over 0..1, less its mean, over its deviation */
} protea_frame;

typedef struct protea_prediction {
    int label;            /* see protea_adaptation_class */
    float probability;    /* of that label, 0..1 */
    float entropy;        /* of the whole prediction, in nats: 0 certain, ln(classes) clueless */
} protea_prediction;

/* How far it has come. */
typedef struct protea_adaptation_status {
    int64_t images;       /* taken in by adapt so far */
    int64_t waiting;      /* of these, not adapted on yet: their batch is not full */
    int64_t batches, updates; /* adapted on; those that moved parameters */
    int64_t rollbacks;    /* times the guard went back */
    int64_t bank_rows;    /* in the support bank of algorithms that have one */
    size_t bank_bytes;
    double loss, entropy; /* of the last batch */
    const char *trouble;  /* what the guard found last and what was done, "" if nothing; borrowed until the next call */
} protea_adaptation_status;

/* algorithm: "tent", "tsd" ..., see `protea adapt --help`. *out: owned. Errors: PROTEA_ERR_USAGE with the nearest name. */
protea_status protea_adaptation_new(protea_adaptation **out, const char *algorithm);
void protea_adaptation_free(protea_adaptation *a); /* accepts NULL */
/* The algorithm's options, --lr, --batch-size, --guard, --threads and so on, as the command's; to be set before open. Borrowed. */
protea_options *protea_adaptation_options(protea_adaptation *a);
/* model: a RUN of `train supervised`, or a .safetensors file with a classifier. hooks: for the log, which tells of rollbacks;
 * may be NULL; its log must outlive the object. Once for each object.
 * Errors: PROTEA_ERR_INPUT (no such model, no classifier), PROTEA_ERR_USAGE (options that cannot be), PROTEA_ERR_MEMORY. */
protea_status protea_adaptation_open(protea_adaptation *a, const char *model, const protea_hooks *hooks);

/* 0 before open. */
int protea_adaptation_classes(const protea_adaptation *a);
int protea_adaptation_image_size(const protea_adaptation *a);
int64_t protea_adaptation_batch_size(const protea_adaptation *a);
/* Borrowed; "" for a label that is none. */
const char *protea_adaptation_class(const protea_adaptation *a, int label);

/* What the model as it stands says of n images, each by itself; changes nothing. predictions (n) and probabilities
 * (n, classes) may be NULL. Errors: PROTEA_ERR_INPUT (a frame without pixels, a value that is not finite). */
protea_status protea_adaptation_predict(protea_adaptation *a, const protea_frame *frames, int64_t n,
                                        protea_prediction *predictions, float *probabilities);
/* Takes in n images. They wait until a batch is full, then the model adapts on it: n may be 1, a whole batch or anything else.
 * predictions (n), which may be NULL, come at once: of an image whose batch is complete now they are the batch's own, from
 * before its update, which is what `protea adapt` measures; of one that has to wait they are those of protea_adaptation_predict.
 * Errors: as predict; also of a failure while adapting. Images that wait then stay, those of this call are dropped. */
protea_status protea_adaptation_adapt(protea_adaptation *a, const protea_frame *frames, int64_t n,
                                      protea_prediction *predictions);
/* Adapts on the images that wait, however few they are; nothing when there are none. */
protea_status protea_adaptation_flush(protea_adaptation *a);
/* The model as it was opened, to the bit; images that wait are dropped, counts go on. */
protea_status protea_adaptation_reset(protea_adaptation *a);

/* All that going on needs: parameters, statistics, bank, optimiser, images that wait. Loaded into an object that was opened on
 * the same model with the same algorithm and options, it continues as the first would have, to the bit (at equal threads); a
 * guard starts with an empty window and takes this state for a good one. A reset still goes back to the model opened.
 * Errors: PROTEA_ERR_IO; PROTEA_ERR_INPUT when the file is not such a state, the object is then as before. */
protea_status protea_adaptation_save(protea_adaptation *a, const char *path);
protea_status protea_adaptation_load(protea_adaptation *a, const char *path);
/* The adapted classifier alone, as a model that every verb opens. */
protea_status protea_adaptation_save_model(protea_adaptation *a, const char *path);

void protea_adaptation_ask(const protea_adaptation *a, protea_adaptation_status *status);

#ifdef __cplusplus
}
#endif
#endif
