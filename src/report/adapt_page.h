/* report.html of an adaptation: how it did, beside source and bn, over time, per class and per corruption. */
#ifndef PROTEA_REPORT_ADAPT_PAGE_H
#define PROTEA_REPORT_ADAPT_PAGE_H

#include "eval/adapt_run.h"

typedef struct protea_adapt_page {
    const protea_adapt_run *run; /* done */
    const char *name;            /* its directory */
    const char *kind;            /* "adapt tsd", "adapt all" */
    const char *model, *data;    /* as they were named */
    const char *stream;          /* "iid" */
    int severity;                /* of the corruptions; 0: there are none */
} protea_adapt_page;

/* Errors: PROTEA_ERR_IO, PROTEA_ERR_MEMORY. */
protea_status protea_adapt_page_write(const char *path, const protea_adapt_page *page);

#endif
