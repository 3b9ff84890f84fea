#include "base/failure.h"

#include <stdio.h>

static void keep(protea_failure *f, protea_status status, int64_t at)
{
    if (f->status != PROTEA_OK && f->at < at)
        return;
    f->status = status;
    f->at = at;
    snprintf(f->message, sizeof f->message, "%s", protea_last_error());
}

void protea_failure_note(protea_failure *f, protea_status status, int64_t at)
{
    if (status == PROTEA_OK)
        return;
#pragma omp critical(protea_failure)
    keep(f, status, at);
}

protea_status protea_failure_raise(const protea_failure *f)
{
    return f->status == PROTEA_OK ? PROTEA_OK : protea_fail_text(f->status, f->message);
}
