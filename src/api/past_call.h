/* What config.yaml says of the call that left it: which verb, of what. */
#ifndef PROTEA_API_PAST_CALL_H
#define PROTEA_API_PAST_CALL_H

#include <stdbool.h>

#include "base/status.h"

typedef struct protea_past_call {
    bool of_cluster;        /* the verb was `cluster` */
    char *argument[2];      /* (n) the first of its arguments; owned */
    int n;
} protea_past_call;

/* Of dir/config.yaml. Release in any case. Errors: PROTEA_ERR_INPUT, PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_past_call_read(protea_past_call *call, const char *dir);
void protea_past_call_release(protea_past_call *call);

#endif
