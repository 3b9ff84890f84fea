#include "method/moco_flags.h"

#include <stdbool.h>
#include <string.h>

#include "base/status.h"

/* Value of a flag for either side. */
typedef struct preset {
    const char *key, *off, *on;
} preset;

/* He et al. 2020, arXiv:1911.05722 (v1); Chen et al. 2020, arXiv:2003.04297 (v2). */
static const preset VIEWS[] = {
    { "jitter_p", "1", "0.8" }, { "brightness", "0.4", "0.4" }, { "contrast", "0.4", "0.4" }, { "saturation", "0.4", "0.4" },
    { "hue", "0.4", "0.1" }, { "gray_p", "0.2", "0.2" }, { "blur_p", "0", "0.5" }, { "blur_min", "0.1", "0.1" },
    { "blur_max", "2", "2" }, { .key = NULL },
};
static const preset SCHEDULE[] = { { "lr_schedule", "steps", "cosine-epoch" }, { .key = NULL } };

static protea_status apply(protea_options *options, const char *flag, const preset *presets)
{
    char text[8];
    if (!protea_options_given(options, flag))
        return PROTEA_OK;
    PROTEA_TRY(protea_options_get(options, flag, text, sizeof text));
    bool on = strcmp(text, "true") == 0;
    for (const preset *p = presets; p->key != NULL; p++)
        PROTEA_TRY(protea_options_set(options, p->key, on ? p->on : p->off, PROTEA_FROM_RECIPE));
    return PROTEA_OK;
}

protea_status protea_moco_settle(protea_options *options)
{
    PROTEA_TRY(apply(options, "aug_plus", VIEWS));
    return apply(options, "cos", SCHEDULE);
}
