#include "data/synth_forms.h"

#include <math.h>

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

bool protea_form_disc(float x, float y)
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

bool protea_form_square(float x, float y)
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

const char *const protea_form_names[PROTEA_FORMS] = { "bars", "checker", "crescent", "cross", "disc",
                                                      "frame", "ring",   "square",   "star",  "triangle" };
const protea_form protea_forms[PROTEA_FORMS] = { bars, checker, crescent, cross, protea_form_disc,
                                                 frame, ring, protea_form_square, star, triangle };

/* ---- none of the ten */

static bool ellipse(float x, float y)
{
    return x * x + 5 * y * y <= 0.85f;
}

static bool half_disc(float x, float y)
{
    return y >= -0.1f && x * x + y * y <= 0.85f;
}

static bool corner(float x, float y)
{
    return in_box(x, y, 0.75f) && (x <= -0.3f || y >= 0.3f);
}

static bool slab(float x, float y)
{
    return fabsf(x) <= 0.9f && fabsf(y) <= 0.32f;
}

const protea_form protea_other_forms[PROTEA_OTHER_FORMS] = { ellipse, half_disc, corner, slab };
