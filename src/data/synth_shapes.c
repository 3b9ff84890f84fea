/* synth:shapes: ten shapes to be told apart by form alone.
 *
 * Each image shows one to three copies of its class's shape, bright on dark. Tints, places, sizes, turns, background
 * gradient, clutter and noise are drawn anew for each image, so nearest neighbours in pixels are mostly of another class.
 * No class differs from another by colour, by its mirror image, or by how much of the picture it covers. Colours are kept
 * close to gray because free ones tell single images apart so well that no method finds the shapes in minutes. */
#include <math.h>

#include "data/synth.h"
#include "data/synth_paint.h"

static void paint_background(protea_image *out, protea_colour base, protea_rng *rng)
{
    float turn = protea_between(rng, 0, 6.2831853f), dx = cosf(turn), dy = sinf(turn);
    protea_colour slope;
    for (int k = 0; k < 3; k++)
        slope.v[k] = protea_between(rng, -35, 35);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            float along = (((float)x + 0.5f) * dx + ((float)y + 0.5f) * dy) / (float)out->w - 0.5f * (dx + dy);
            uint8_t *p = out->px + ((size_t)y * (size_t)out->w + (size_t)x) * 3;
            for (int k = 0; k < 3; k++)
                p[k] = (uint8_t)fminf(fmaxf(base.v[k] + along * slope.v[k], 0), 255);
        }
}

/* Up to three, the fewer the larger. */
static int place_figures(protea_figure figures[3], float size, protea_rng *rng)
{
    static const float least[3] = { 0.26f, 0.21f, 0.18f }, most[3] = { 0.44f, 0.29f, 0.24f };
    int wanted = (int)protea_rng_below(rng, 3), n = 0;
    for (int attempt = 0; attempt < 60 && n <= wanted; attempt++) {
        protea_figure f = { .radius = protea_between(rng, least[wanted], most[wanted]) * size,
                            .turn = protea_between(rng, -0.4f, 0.4f) };
        f.x = protea_between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
        f.y = protea_between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
        if (!protea_figure_overlaps(figures, n, f))
            figures[n++] = f;
    }
    return n;
}

static void paint_clutter(protea_image *out, protea_rng *rng)
{
    float size = (float)out->w;
    for (int n = (int)protea_rng_below(rng, 5); n > 0; n--) {
        protea_figure speck = { protea_between(rng, 0, size), protea_between(rng, 0, size),
                                protea_between(rng, 0.03f, 0.07f) * size, 0 };
        protea_colour c = protea_tinted(rng, 20, 235, 40);
        protea_paint_form(out, n % 2 ? protea_form_disc : protea_form_square, speck, c);
    }
}

static void draw(protea_image *out, int label, protea_rng *rng)
{
    protea_figure figures[3];
    protea_colour base = protea_tinted(rng, 10, 110, 40), main = protea_tinted(rng, 150, 245, 40);
    paint_background(out, base, rng);
    paint_clutter(out, rng);
    int n = place_figures(figures, (float)out->w, rng);
    for (int i = 0; i < n; i++)
        protea_paint_form(out, protea_forms[label], figures[i], main);
    protea_paint_noise(out, 14, rng);
}

const protea_synth_kind protea_synth_shapes = {
    .name = "shapes", .summary = "one shape an image, whose colours, places and sizes say nothing about its class",
    .classes = protea_form_names, .n_classes = PROTEA_FORMS, .draw = draw,
};
