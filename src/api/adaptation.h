/* What the files behind protea/adapt.h share. */
#ifndef PROTEA_API_ADAPTATION_H
#define PROTEA_API_ADAPTATION_H

#include <protea/adapt.h>

#include "api/adapter_options.h"
#include "api/verb.h"
#include "data/augment.h"
#include "eval/adapt_lane.h"

struct protea_adaptation {
    const protea_adapter_ops *ops;
    protea_options *options;             /* owned; its tables fill the next four */
    protea_adapter_options own;
    protea_adapt_opts adapt;
    protea_guard_opts guard;
    protea_session_opts session_opts;
    bool opened;
    protea_hooks hooks;
    protea_session session;
    protea_lane lane;
    int64_t batch_size, view;            /* values of one view: 3 S S */
    float *waiting;                      /* (batch_size,3,S,S) owned; the first n_waiting rows are taken */
    int64_t n_waiting;
    float *asked;                        /* (batch_size,3,S,S) owned: views of predict */
    protea_image image;                  /* scratch of one frame */
    protea_augment_buffer buffer;
    protea_adaptation_status status;
};

/* Errors: PROTEA_ERR_USAGE. */
protea_status protea_adaptation_check_open(const protea_adaptation *a);

#endif
