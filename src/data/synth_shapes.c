/* synth:shapes: ten shapes to be told apart by form alone.
 *
 * Each image shows one to three copies of its class's shape, bright on dark. Tints, places, sizes, turns, background
 * gradient, clutter and noise are drawn anew for each image, so nearest neighbours in pixels are mostly of another class.
 * No class differs from another by colour, by its mirror image, or by how much of the picture it covers. Colours are kept
 * close to gray because free ones tell single images apart so well that no method finds the shapes in minutes. */
#include <math.h>

#include "data/synth.h"

static const char *const classes[] = { "bars", "checker", "crescent", "cross", "disc",
                                       "frame", "ring",   "square",   "star",  "triangle" };

/* Whether (x, y) lies in the shape; each shape fits into the unit disc or nearly so. */
typedef bool (*shape)(float x, float y);

static bool in_box(float x, float y, float half)
{
    return fabsf(x) <= half && fabsf(y) <= half;
}

static bool bars(float x, float y)
{
    return in_box(x, y, 0.8f) && (fabsf(y) <= 0.16f || fabsf(y) >= 0.48f);
}

static bool checker(float x, float y)
{
    return in_box(x, y, 0.8f) && (x > 0) == (y > 0);
}

static bool crescent(float x, float y)
{
    return x * x + y * y <= 0.92f && x * x + (y + 0.5f) * (y + 0.5f) > 0.6f;
}

static bool cross(float x, float y)
{
    return (fabsf(x) <= 0.27f && fabsf(y) <= 0.92f) || (fabsf(y) <= 0.27f && fabsf(x) <= 0.92f);
}

static bool disc(float x, float y)
{
    return x * x + y * y <= 0.7f;
}

static bool frame(float x, float y)
{
    return in_box(x, y, 0.8f) && !in_box(x, y, 0.45f);
}

static bool ring(float x, float y)
{
    float r2 = x * x + y * y;
    return r2 <= 0.88f && r2 >= 0.28f;
}

static bool square(float x, float y)
{
    return in_box(x, y, 0.72f);
}

/* Five points: the edge runs straight from a tip at radius 1 to a notch at radius 0.42. */
static bool star(float x, float y)
{
    const float fifth = 1.2566371f, tip = 1.0f, notch = 0.42f;
    float r = sqrtf(x * x + y * y), angle = fmodf(atan2f(x, -y) + 10 * fifth, fifth);
    float from_tip = angle > fifth / 2 ? fifth - angle : angle;
    float px = r * cosf(from_tip), py = r * sinf(from_tip);
    float nx = notch * cosf(fifth / 2), ny = notch * sinf(fifth / 2);
    return (px - tip) * ny - py * (nx - tip) <= 0;
}

static bool triangle(float x, float y)
{
    return y <= 0.6f && y >= -0.95f + 1.65f * fabsf(x);
}

static const shape shapes[] = { bars, checker, crescent, cross, disc, frame, ring, square, star, triangle };

typedef struct colour { float v[3]; } colour;

typedef struct figure { float x, y, radius, turn; } figure;

static float between(protea_rng *rng, float low, float high)
{
    return low + (high - low) * protea_rng_uniform(rng);
}

/* A gray of the given range with a tint. */
static colour tinted(protea_rng *rng, float low, float high, float tint)
{
    float gray = between(rng, low, high);
    colour c;
    for (int k = 0; k < 3; k++)
        c.v[k] = fminf(fmaxf(gray + between(rng, -tint, tint), 0), 255);
    return c;
}

static void put(protea_image *out, int x, int y, colour c, float share)
{
    uint8_t *p = out->px + ((size_t)y * (size_t)out->w + (size_t)x) * 3;
    for (int k = 0; k < 3; k++)
        p[k] = (uint8_t)((float)p[k] + share * (c.v[k] - (float)p[k]) + 0.5f);
}

static void paint_background(protea_image *out, colour base, protea_rng *rng)
{
    float turn = between(rng, 0, 6.2831853f), dx = cosf(turn), dy = sinf(turn);
    colour slope;
    for (int k = 0; k < 3; k++)
        slope.v[k] = between(rng, -35, 35);
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            float along = (((float)x + 0.5f) * dx + ((float)y + 0.5f) * dy) / (float)out->w - 0.5f * (dx + dy);
            uint8_t *p = out->px + ((size_t)y * (size_t)out->w + (size_t)x) * 3;
            for (int k = 0; k < 3; k++)
                p[k] = (uint8_t)fminf(fmaxf(base.v[k] + along * slope.v[k], 0), 255);
        }
}

/* Covers each pixel by the share of 3 x 3 samples that lie in the shape. */
static void paint_shape(protea_image *out, shape inside, figure f, colour c)
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
            put(out, x, y, c, (float)hits / 9);
        }
}

static bool overlaps(const figure *figures, int n, figure f)
{
    for (int i = 0; i < n; i++)
        if (hypotf(figures[i].x - f.x, figures[i].y - f.y) < 0.95f * (figures[i].radius + f.radius))
            return true;
    return false;
}

/* Up to three, the fewer the larger. */
static int place_figures(figure figures[3], float size, protea_rng *rng)
{
    static const float least[3] = { 0.26f, 0.21f, 0.18f }, most[3] = { 0.44f, 0.29f, 0.24f };
    int wanted = (int)protea_rng_below(rng, 3), n = 0;
    for (int attempt = 0; attempt < 60 && n <= wanted; attempt++) {
        figure f = { .radius = between(rng, least[wanted], most[wanted]) * size, .turn = between(rng, -0.4f, 0.4f) };
        f.x = between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
        f.y = between(rng, 0.9f * f.radius, size - 0.9f * f.radius);
        if (!overlaps(figures, n, f))
            figures[n++] = f;
    }
    return n;
}

static void paint_clutter(protea_image *out, protea_rng *rng)
{
    float size = (float)out->w;
    for (int n = (int)protea_rng_below(rng, 5); n > 0; n--) {
        figure speck = { between(rng, 0, size), between(rng, 0, size), between(rng, 0.03f, 0.07f) * size, 0 };
        colour c = tinted(rng, 20, 235, 40);
        paint_shape(out, n % 2 ? disc : square, speck, c);
    }
}

static void add_noise(protea_image *out, protea_rng *rng)
{
    float strength = between(rng, 0, 14);
    for (size_t i = 0, n = (size_t)out->w * (size_t)out->h * 3; i < n; i++) {
        float noise = protea_rng_uniform(rng) + protea_rng_uniform(rng) - 1; /* a triangle is noise enough */
        out->px[i] = (uint8_t)fminf(fmaxf((float)out->px[i] + strength * 2 * noise + 0.5f, 0), 255);
    }
}

static void draw(protea_image *out, int label, protea_rng *rng)
{
    figure figures[3];
    colour base = tinted(rng, 10, 110, 40), main = tinted(rng, 150, 245, 40);
    paint_background(out, base, rng);
    paint_clutter(out, rng);
    int n = place_figures(figures, (float)out->w, rng);
    for (int i = 0; i < n; i++)
        paint_shape(out, shapes[label], figures[i], main);
    add_noise(out, rng);
}

const protea_synth_kind protea_synth_shapes = { .name = "shapes", .classes = classes,
                                                .n_classes = sizeof classes / sizeof *classes, .draw = draw };
