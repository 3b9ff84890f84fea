#include "data/skips.h"

#include <string.h>

#include "base/alloc.h"

void protea_skips_init(protea_skips *s)
{
    *s = (protea_skips){ 0 };
    pthread_mutex_init(&s->lock, NULL);
}

void protea_skips_release(protea_skips *s)
{
    for (int64_t i = 0; i < s->n; i++)
        protea_free(s->list[i].reason);
    protea_free(s->list);
    protea_free(s->shown);
    pthread_mutex_destroy(&s->lock);
}

/* Where index is, or would be put. */
static int64_t position(const protea_skips *s, int64_t index)
{
    int64_t low = 0, high = s->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (s->list[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool holds(const protea_skips *s, int64_t at, int64_t index)
{
    return at < s->n && s->list[at].index == index;
}

static protea_status insert(protea_skips *s, int64_t at, int64_t index, const char *reason)
{
    char *copy;
    if (s->n == s->capacity) {
        int64_t more = s->capacity == 0 ? 64 : 2 * s->capacity;
        PROTEA_TRY(protea_grow(&s->list, (size_t)more, sizeof *s->list, "the list of bad images"));
        s->capacity = more;
    }
    PROTEA_TRY(protea_copy_string(&copy, reason));
    memmove(s->list + at + 1, s->list + at, (size_t)(s->n - at) * sizeof *s->list);
    s->list[at] = (protea_skip){ .index = index, .reason = copy };
    s->n++;
    return PROTEA_OK;
}

protea_status protea_skips_add(protea_skips *s, int64_t index, const char *reason)
{
    protea_status status = PROTEA_OK;
    pthread_mutex_lock(&s->lock);
    int64_t at = position(s, index);
    if (!holds(s, at, index))
        status = insert(s, at, index, reason);
    pthread_mutex_unlock(&s->lock);
    return status;
}

bool protea_skips_has(protea_skips *s, int64_t index)
{
    pthread_mutex_lock(&s->lock);
    bool found = holds(s, position(s, index), index);
    pthread_mutex_unlock(&s->lock);
    return found;
}

int64_t protea_skips_count(protea_skips *s)
{
    pthread_mutex_lock(&s->lock);
    int64_t n = s->n;
    pthread_mutex_unlock(&s->lock);
    return n;
}

int64_t protea_skips_show(protea_skips *s, const protea_skip **list)
{
    pthread_mutex_lock(&s->lock);
    if (s->n > s->n_shown && protea_grow(&s->shown, (size_t)s->n, sizeof *s->shown, "the list of bad images") == PROTEA_OK) {
        memcpy(s->shown, s->list, (size_t)s->n * sizeof *s->shown);
        s->n_shown = s->n;
    }
    int64_t n = s->n_shown;
    *list = s->shown;
    pthread_mutex_unlock(&s->lock);
    return n;
}
