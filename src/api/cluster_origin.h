/* Where clusters come from: the record of the call that makes them, and of the run that trained the model. */
#ifndef PROTEA_API_CLUSTER_ORIGIN_H
#define PROTEA_API_CLUSTER_ORIGIN_H

#include "report/doctor.h"
#include "tensor/context.h"

typedef struct protea_cluster_origin {
    protea_run_record record; /* of the call, read back from its directory */
    protea_run_record run;    /* of the model's training */
    bool trained;             /* there is one */
    protea_findings findings; /* what is wrong with it */
} protea_cluster_origin;

/* output: the call's directory, with its config.yaml. A model that is no run of `train` is none; neither is one whose record cannot
 * be read. Zeroed in; release in any case. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO (of output alone), PROTEA_ERR_MEMORY. */
protea_status protea_cluster_origin_read(protea_ctx *cx, protea_cluster_origin *o, const char *output, const char *model);
void protea_cluster_origin_release(protea_cluster_origin *o); /* accepts a zeroed one */

#endif
