/* Corruptions as people name them: `fog`, `fog,snow`, `standard` (the 15), `extra` (the 4 for tuning), `all`. */
#ifndef PROTEA_API_CORRUPTION_LIST_H
#define PROTEA_API_CORRUPTION_LIST_H

#include "image/corrupt.h"

typedef struct protea_corruption_list {
    int n;
    int id[PROTEA_CORRUPTIONS]; /* each at most once, in the order named; groups in the order of evaluation */
} protea_corruption_list;

/* An empty text gives none. label: how messages begin, "--corruption ". Errors: PROTEA_ERR_USAGE with the nearest name. */
protea_status protea_corruption_list_read(protea_corruption_list *list, const char *label, const char *text);

#endif
