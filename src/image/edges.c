#include "image/edges.h"

#include <stdlib.h>

#include "base/alloc.h"

/* ---- edges */

enum { EDGE = 0, REST = 255, WEAK = 1 }; /* in out, while they are found */

typedef struct gradients {
    int w, h, stride;           /* one point of margin on each side, with size 0 */
    int32_t *size;              /* |dx| + |dy| */
    int16_t *dx, *dy;           /* (h,w) */
} gradients;

static int at(const uint8_t *px, int w, int h, int y, int x)
{
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    return px[y * w + x];
}

static void find_gradients(gradients *g, const uint8_t *px)
{
    int w = g->w, h = g->h;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int left = at(px, w, h, y - 1, x - 1) + 2 * at(px, w, h, y, x - 1) + at(px, w, h, y + 1, x - 1);
            int right = at(px, w, h, y - 1, x + 1) + 2 * at(px, w, h, y, x + 1) + at(px, w, h, y + 1, x + 1);
            int above = at(px, w, h, y - 1, x - 1) + 2 * at(px, w, h, y - 1, x) + at(px, w, h, y - 1, x + 1);
            int below = at(px, w, h, y + 1, x - 1) + 2 * at(px, w, h, y + 1, x) + at(px, w, h, y + 1, x + 1);
            g->dx[y * w + x] = (int16_t)(right - left);
            g->dy[y * w + x] = (int16_t)(below - above);
            g->size[(y + 1) * g->stride + x + 1] = abs(right - left) + abs(below - above);
        }
}

/* Whether the gradient is larger here than on both sides along its direction, rounded to an eighth of a circle (tan 22.5
 * degrees in 15 bits). */
static bool is_crest(const gradients *g, int y, int x)
{
    enum { TANGENT = 13573, BITS = 15 };
    const int32_t *size = g->size + (y + 1) * g->stride + x + 1;
    int dx = g->dx[y * g->w + x], dy = g->dy[y * g->w + x];
    int64_t flat = (int64_t)abs(dx) * TANGENT, steep = flat + ((int64_t)abs(dx) << (BITS + 1)), rise = (int64_t)abs(dy) << BITS;
    if (rise < flat)
        return size[0] > size[-1] && size[0] >= size[1];
    if (rise > steep)
        return size[0] > size[-g->stride] && size[0] >= size[g->stride];
    int side = (dx ^ dy) < 0 ? -1 : 1;
    return size[0] > size[-g->stride - side] && size[0] > size[g->stride + side];
}

/* Weak points that touch an edge become edges, and so on. stack: room for all points. */
static void follow(uint8_t *out, int w, int h, int32_t *stack)
{
    int n = 0;
    for (int i = 0; i < w * h; i++)
        if (out[i] == EDGE)
            stack[n++] = i;
    while (n > 0) {
        int i = stack[--n], y = i / w, x = i % w;
        for (int k = 0; k < 9; k++) {
            int row = y + k / 3 - 1, column = x + k % 3 - 1;
            if (row < 0 || row >= h || column < 0 || column >= w || out[row * w + column] != WEAK)
                continue;
            out[row * w + column] = EDGE;
            stack[n++] = row * w + column;
        }
    }
    for (int i = 0; i < w * h; i++)
        out[i] = out[i] == WEAK ? REST : out[i];
}

protea_status protea_edges(uint8_t *out, const uint8_t *px, int w, int h, int low, int high)
{
    gradients g = { .w = w, .h = h, .stride = w + 2 };
    size_t points = (size_t)w * (size_t)h, framed = ((size_t)w + 2) * ((size_t)h + 2);
    PROTEA_TRY(protea_new(&g.size, framed + points, sizeof *g.size, "edges"));
    g.dx = (int16_t *)(g.size + framed);
    g.dy = g.dx + points;
    find_gradients(&g, px);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int32_t size = g.size[(y + 1) * g.stride + x + 1];
            out[y * w + x] = size <= low || !is_crest(&g, y, x) ? REST : size > high ? EDGE : WEAK;
        }
    follow(out, w, h, g.size);
    protea_free(g.size);
    return PROTEA_OK;
}

/* ---- distance */

static const struct step { int dy, dx; int32_t length; } steps[] = {
    { -2, -1, 143976 }, { -2, 1, 143976 }, { -1, -2, 143976 }, { -1, -1, 91750 }, { -1, 0, 65536 }, { -1, 1, 91750 },
    { -1, 2, 143976 },  { 0, -1, 65536 } };
enum { STEPS = sizeof steps / sizeof *steps, FAR = INT32_MAX >> 2 };

/* The least over the steps that come before the point (sign 1) or after it (-1) in reading order. */
static void relax(int32_t *d, int w, int h, int y, int x, int sign)
{
    int32_t least = d[y * w + x];
    for (int k = 0; k < STEPS; k++) {
        int row = y + sign * steps[k].dy, column = x + sign * steps[k].dx;
        int32_t there = row >= 0 && row < h && column >= 0 && column < w ? d[row * w + column] : FAR;
        least = there + steps[k].length < least ? there + steps[k].length : least;
    }
    d[y * w + x] = least;
}

void protea_distance(int32_t *out, const uint8_t *px, int w, int h)
{
    for (int i = 0; i < w * h; i++)
        out[i] = px[i] == 0 ? 0 : FAR;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            relax(out, w, h, y, x, 1);
    for (int y = h - 1; y >= 0; y--)
        for (int x = w - 1; x >= 0; x--)
            relax(out, w, h, y, x, -1);
}
