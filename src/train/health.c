#include "train/health.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

protea_health protea_health_start(const protea_method_ops *ops, const void *method)
{
    return (protea_health){ .ops = ops, .method = method, .sick_since = -1 };
}

static uint64_t cause_of(const char *text)
{
    char letters[PROTEA_HEALTH_TEXT];
    size_t n = 0;
    for (const char *c = text; *c != 0 && n < sizeof letters; c++)
        if (isalpha((unsigned char)*c))
            letters[n++] = *c;
    return XXH3_64bits(letters, n);
}

static bool is_new(protea_health *h, uint64_t cause)
{
    for (int i = 0; i < h->n_seen; i++)
        if (h->seen[i] == cause)
            return false;
    if (h->n_seen == PROTEA_HEALTH_CAUSES)
        return false;
    h->seen[h->n_seen++] = cause;
    return true;
}

const char *protea_health_interval(protea_health *h, const protea_step_out *mean, int64_t first)
{
    if (h->ops->sick == NULL || !h->ops->sick(h->method, mean, h->text, sizeof h->text)) {
        h->sick_since = -1;
        return NULL;
    }
    if (h->sick_since < 0)
        h->sick_since = first;
    return is_new(h, cause_of(h->text)) ? h->text : NULL;
}

protea_status protea_health_verdict(const protea_health *h, int64_t step)
{
    int64_t quarter = step / 4, least = quarter > 100 ? quarter : 100;
    if (h->sick_since < 0 || step - h->sick_since < least)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_DIVERGED, "training collapsed at step %lld: %s", (long long)h->sick_since, h->text);
}

protea_status protea_health_step(protea_health *h, double loss, double gradient_norm, int64_t step, const char *why, bool *update)
{
    /* Written so that NaN, which compares false with everything, is bad. */
    *update = fabs(loss) <= DBL_MAX && gradient_norm <= DBL_MAX;
    if (*update) {
        h->bad_in_a_row = 0;
        return PROTEA_OK;
    }
    h->bad_total++;
    if (++h->bad_in_a_row < PROTEA_MAX_BAD_STEPS)
        return PROTEA_OK;
    if (*why != 0)
        return protea_fail(PROTEA_ERR_DIVERGED, "training diverged: %d steps in a row to step %lld could not be used: %s",
                           PROTEA_MAX_BAD_STEPS, (long long)step, why);
    return protea_fail(PROTEA_ERR_DIVERGED, "training diverged: %d steps in a row to step %lld had a loss (%g) or gradient norm "
                       "(%g) that is not finite; try a lower --lr or --precision f32", PROTEA_MAX_BAD_STEPS, (long long)step,
                       loss, gradient_norm);
}
