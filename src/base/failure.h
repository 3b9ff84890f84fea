/* What went wrong on several threads that work together: of all failures the one that comes first in their common order, so that
 * equal runs fail alike. */
#ifndef PROTEA_BASE_FAILURE_H
#define PROTEA_BASE_FAILURE_H

#include <stdint.h>

#include "base/status.h"

/* Zeroed: nothing went wrong. */
typedef struct protea_failure {
    protea_status status;
    int64_t at;             /* place in the order */
    char message[1001];
} protea_failure;

/* Keeps what the calling thread's piece of work came to, with its last message; nothing where that is PROTEA_OK or a failure
 * before it is kept. Threads may call it at the same time. */
void protea_failure_note(protea_failure *f, protea_status status, int64_t at);
/* What was kept, with its message as this thread's; PROTEA_OK where nothing was. */
protea_status protea_failure_raise(const protea_failure *f);

#endif
