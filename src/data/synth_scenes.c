/* synth:scenes: one of ten forms, to be found in a picture full of other things.
 *
 * Each image shows its class's form once, on waves of any colours, among one to three forms of no class (ellipses, half discs,
 * corners, slabs) of the same colours and up to the same size, and strips that may cross it. The form is lighter or darker than
 * what is behind it. A pixel says next to nothing then: nearest neighbours in pixels are right about once in six times, where
 * guessing is once in ten; in synth:shapes it is once in three. Told apart by form alone, as there. */
#include <math.h>

#include "data/synth.h"
#include "data/synth_paint.h"

enum { WAVES = 3, MOST_OTHERS = 3 };

/* A wave of colour: where it runs, how fast, from where, and how far it moves each channel. */
typedef struct wave { float dx, dy, phase, push[3]; } wave;

static wave draw_wave(protea_rng *rng)
{
    const float round = 6.2831853f;
    float turn = protea_between(rng, 0, round), cycles = protea_between(rng, 0.4f, 3.5f);
    wave w = { .dx = round * cycles * cosf(turn), .dy = round * cycles * sinf(turn), .phase = protea_between(rng, 0, round) };
    for (int k = 0; k < 3; k++)
        w.push[k] = protea_between(rng, -26, 26);
    return w;
}

static void paint_background(protea_image *out, protea_colour base, protea_rng *rng)
{
    wave waves[WAVES];
    for (int i = 0; i < WAVES; i++)
        waves[i] = draw_wave(rng);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            float u = ((float)x + 0.5f) / (float)out->w, v = ((float)y + 0.5f) / (float)out->h;
            protea_colour c = base;
            for (int i = 0; i < WAVES; i++) {
                float high = sinf(u * waves[i].dx + v * waves[i].dy + waves[i].phase);
                for (int k = 0; k < 3; k++)
                    c.v[k] += high * waves[i].push[k];
            }
            for (int k = 0; k < 3; k++)
                c.v[k] = fminf(fmaxf(c.v[k], 0), 255);
            protea_paint_pixel(out, x, y, c, 1);
        }
}

/* Well apart from the background in brightness, and as free in colour. */
static protea_colour contrasting(protea_colour base, protea_rng *rng)
{
    float gray = (base.v[0] + base.v[1] + base.v[2]) / 3, away = protea_between(rng, 75, 110);
    float aim = gray > 127 ? gray - away : gray + away;
    return protea_tinted(rng, aim, aim, 60);
}

static protea_figure somewhere(float least, float most, float size, protea_rng *rng)
{
    protea_figure f = { .radius = protea_between(rng, least, most) * size, .turn = protea_between(rng, -0.5f, 0.5f) };
    f.x = protea_between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
    f.y = protea_between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
    return f;
}

/* Forms of no class beside the one at figures[0]; where there is no room there are fewer. */
static void paint_others(protea_image *out, protea_figure figures[1 + MOST_OTHERS], protea_colour base, protea_rng *rng)
{
    int wanted = 1 + (int)protea_rng_below(rng, MOST_OTHERS), n = 1;
    for (int attempt = 0; attempt < 40 && n <= wanted; attempt++) {
        protea_figure f = somewhere(0.12f, 0.26f, (float)out->w, rng);
        f.turn *= 6;
        if (protea_figure_overlaps(figures, n, f))
            continue;
        protea_form form = protea_other_forms[protea_rng_below(rng, PROTEA_OTHER_FORMS)];
        protea_paint_form(out, form, f, contrasting(base, rng));
        figures[n++] = f;
    }
}

static bool strip(float x, float y)
{
    return fabsf(x) <= 1 && fabsf(y) <= 0.05f;
}

/* Across the whole picture, in a colour of the background or of the forms. */
static void paint_strips(protea_image *out, protea_colour base, protea_rng *rng)
{
    float size = (float)out->w;
    for (int n = (int)protea_rng_below(rng, 3); n > 0; n--) {
        protea_figure f = { .x = protea_between(rng, 0, size), .y = protea_between(rng, 0, size), .radius = size,
                            .turn = protea_between(rng, 0, 3.1415927f) };
        protea_paint_form(out, strip, f, n % 2 ? contrasting(base, rng) : base);
    }
}

static void draw(protea_image *out, int label, protea_rng *rng)
{
    protea_colour base = protea_tinted(rng, 20, 235, 60);
    protea_figure figures[1 + MOST_OTHERS];
    paint_background(out, base, rng);
    figures[0] = somewhere(0.22f, 0.36f, (float)out->w, rng);
    protea_paint_form(out, protea_forms[label], figures[0], contrasting(base, rng));
    paint_others(out, figures, base, rng);
    paint_strips(out, base, rng);
    protea_paint_noise(out, 14, rng);
}

const protea_synth_kind protea_synth_scenes = {
    .name = "scenes", .summary = "one shape among others, light or dark, on waves of colour: pixels know next to nothing",
    .classes = protea_form_names, .n_classes = PROTEA_FORMS, .draw = draw,
};
