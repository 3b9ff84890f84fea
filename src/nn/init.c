/* Initial weights. */
#include "nn/init.h"

#include <math.h>

void protea_init_kaiming(protea_tensor *w, protea_rng *rng)
{
    if (rng == NULL)
        return;
    double std = sqrt(2.0 / (double)(w->dim[0] * w->dim[2] * w->dim[3]));
    for (int64_t i = 0; i < protea_count(w); i++)
        protea_f32(w)[i] = (float)(std * protea_rng_normal(rng));
}

void protea_init_uniform(protea_tensor *w, double bound, protea_rng *rng)
{
    if (rng == NULL)
        return;
    for (int64_t i = 0; i < protea_count(w); i++)
        protea_f32(w)[i] = (float)(bound * (2.0 * protea_rng_uniform(rng) - 1.0));
}
