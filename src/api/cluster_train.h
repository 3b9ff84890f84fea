/* A model where none was named: trained first, by the job that `protea train` is. */
#ifndef PROTEA_API_CLUSTER_TRAIN_H
#define PROTEA_API_CLUSTER_TRAIN_H

#include "api/images.h"

typedef struct protea_cluster_train {
    const char *data, *run;      /* what to train on; the run's directory: a run that is there already goes on */
    const char *epochs;          /* "": the recipe's */
    int64_t max_minutes;         /* 0: no limit */
    const protea_images_opts *images;
    const protea_session_opts *session;
} protea_cluster_train;

/* SwAV, with the recipe that suits the images' size; the log says so. Errors: those of `train`; PROTEA_STOPPED. */
protea_status protea_cluster_train_first(const protea_cluster_train *train, const protea_ctx *cx, const protea_hooks *hooks);

#endif
