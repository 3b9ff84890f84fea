#include "data/synth_paint.h"

#include <math.h>

float protea_between(protea_rng *rng, float low, float high)
{
    return low + (high - low) * protea_rng_uniform(rng);
}

protea_colour protea_tinted(protea_rng *rng, float low, float high, float tint)
{
    float gray = protea_between(rng, low, high);
    protea_colour c;
    for (int k = 0; k < 3; k++)
        c.v[k] = fminf(fmaxf(gray + protea_between(rng, -tint, tint), 0), 255);
    return c;
}

void protea_paint_pixel(protea_image *out, int x, int y, protea_colour c, float share)
{
    uint8_t *p = out->px + ((size_t)y * (size_t)out->w + (size_t)x) * 3;
    for (int k = 0; k < 3; k++)
        p[k] = (uint8_t)((float)p[k] + share * (c.v[k] - (float)p[k]) + 0.5f);
}

void protea_paint_form(protea_image *out, protea_form inside, protea_figure f, protea_colour c)
{
    int x0 = (int)fmaxf(f.x - f.radius * 1.2f, 0), x1 = (int)fminf(f.x + f.radius * 1.2f + 1, (float)out->w);
    int y0 = (int)fmaxf(f.y - f.radius * 1.2f, 0), y1 = (int)fminf(f.y + f.radius * 1.2f + 1, (float)out->h);
    float cosine = cosf(f.turn) / f.radius, sine = sinf(f.turn) / f.radius;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            int hits = 0;
            for (int k = 0; k < 9; k++) {
                float u = (float)x + ((float)(k % 3) + 0.5f) / 3 - f.x, v = (float)y + ((float)(k / 3) + 0.5f) / 3 - f.y;
                hits += inside(u * cosine + v * sine, v * cosine - u * sine);
            }
            protea_paint_pixel(out, x, y, c, (float)hits / 9);
        }
}

bool protea_figure_overlaps(const protea_figure *figures, int n, protea_figure f)
{
    for (int i = 0; i < n; i++)
        if (hypotf(figures[i].x - f.x, figures[i].y - f.y) < 0.95f * (figures[i].radius + f.radius))
            return true;
    return false;
}

void protea_paint_noise(protea_image *out, float most, protea_rng *rng)
{
    float strength = protea_between(rng, 0, most);
    for (size_t i = 0, n = (size_t)out->w * (size_t)out->h * 3; i < n; i++) {
        float noise = protea_rng_uniform(rng) + protea_rng_uniform(rng) - 1; /* a triangle is noise enough */
        out->px[i] = (uint8_t)fminf(fmaxf((float)out->px[i] + strength * 2 * noise + 0.5f, 0), 255);
    }
}
