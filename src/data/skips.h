/* The images of a set that turned out bad. Thread-safe. */
#ifndef PROTEA_DATA_SKIPS_H
#define PROTEA_DATA_SKIPS_H

#include <pthread.h>

#include "data/source.h"

typedef struct protea_skips {
    pthread_mutex_t lock;
    protea_skip *list; /* (n) sorted by index; owned, with its reasons */
    int64_t n, capacity;
    protea_skip *shown; /* (n_shown) what was handed out last: list moves while others add to it; owned, not its reasons */
    int64_t n_shown;
} protea_skips;

void protea_skips_init(protea_skips *s);
void protea_skips_release(protea_skips *s);
protea_status protea_skips_add(protea_skips *s, int64_t index, const char *reason);
bool protea_skips_has(protea_skips *s, int64_t index);
int64_t protea_skips_count(protea_skips *s);
/* A copy of the list, borrowed until the next call of this by any thread; should memory be short, the copy before. */
int64_t protea_skips_show(protea_skips *s, const protea_skip **list);

#endif
