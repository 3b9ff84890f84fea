#include "eval/box_tree.h"

#include <math.h>
#include <string.h>

#include "base/sort.h"

enum { GROUP = PROTEA_MAP_GROUP, CHILDREN = PROTEA_BOX_CHILDREN, CURVE_BITS = 16, KEY_BITS = 32, TOGETHER = 1024,
       MOST_OPEN = CHILDREN * PROTEA_BOX_LEVELS };

protea_status protea_box_tree_new(protea_box_tree *t, int64_t n)
{
    int64_t boxes = (n + GROUP - 1) / GROUP;
    const size_t places = (size_t)boxes * GROUP;
    t->n = n;
    for (t->n_levels = 1; ; t->n_levels++, boxes = (boxes + CHILDREN - 1) / CHILDREN) {
        t->level[t->n_levels] = t->level[t->n_levels - 1] + boxes;
        if (boxes == 1)
            break;
    }
    PROTEA_TRY(protea_new(&t->box, (size_t)t->level[t->n_levels], sizeof *t->box, "a tree of boxes"));
    PROTEA_TRY(protea_new(&t->order, (size_t)n, sizeof *t->order, "a tree of boxes"));
    PROTEA_TRY(protea_new(&t->x, places, sizeof *t->x, "a tree of boxes"));
    PROTEA_TRY(protea_new(&t->y, places, sizeof *t->y, "a tree of boxes"));
    PROTEA_TRY(protea_new(&t->mass, places, sizeof *t->mass, "a tree of boxes"));
    return protea_new(&t->key, (size_t)n, 2 * sizeof *t->key, "a tree of boxes");
}

void protea_box_tree_release(protea_box_tree *t)
{
    protea_free(t->box);
    protea_free(t->order);
    protea_free(t->x);
    protea_free(t->y);
    protea_free(t->mass);
    protea_free(t->key);
}

/* ---- the curve */

/* Place along Hilbert's curve of a cell. In each quarter the curve is the whole one, turned or mirrored. Source: Hilbert 1891. */
static uint32_t curve_place(uint32_t x, uint32_t y)
{
    uint32_t place = 0;
    for (int bit = CURVE_BITS - 1; bit >= 0; bit--) {
        uint32_t right = x >> bit & 1, top = y >> bit & 1;
        uint32_t mirrored = 0 - (right & ~top & 1), swapped = 0 - (~top & 1); /* all bits or none */
        place = place << 2 | ((3 * right) ^ top);
        x ^= mirrored;
        y ^= mirrored;
        uint32_t exchanged = (x ^ y) & swapped;
        x ^= exchanged;
        y ^= exchanged;
    }
    return place;
}

typedef struct frame { float low_x, low_y, scale; } frame;

static frame frame_of(const float *x, const float *y, int64_t n)
{
    float low_x = x[0], high_x = x[0], low_y = y[0], high_y = y[0];
#pragma omp simd reduction(min : low_x, low_y) reduction(max : high_x, high_y)
    for (int64_t i = 0; i < n; i++) {
        low_x = x[i] < low_x ? x[i] : low_x;
        high_x = x[i] > high_x ? x[i] : high_x;
        low_y = y[i] < low_y ? y[i] : low_y;
        high_y = y[i] > high_y ? y[i] : high_y;
    }
    float side = fmaxf(high_x - low_x, high_y - low_y);
    return (frame){ low_x, low_y, side > 0 ? (float)((1 << CURVE_BITS) - 1) / side : 0 };
}

static void put_in_order(protea_box_tree *t, const float *x, const float *y)
{
    const frame f = frame_of(x, y, t->n);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < t->n; i++) {
        uint32_t column = (uint32_t)((x[i] - f.low_x) * f.scale), row = (uint32_t)((y[i] - f.low_y) * f.scale);
        t->key[i] = (uint64_t)curve_place(column, row) << KEY_BITS | (uint64_t)i;
    }
    protea_sort_u64(t->key, t->key + t->n, t->n, KEY_BITS);
}

/* ---- boxes */

static void set_near(protea_box *b, double theta)
{
    double extent = fmax((double)b->high[0] - (double)b->low[0], (double)b->high[1] - (double)b->low[1]);
    b->near = theta > 0 ? (float)(extent * extent / (theta * theta)) : INFINITY;
}

/* Box a grows by b. Centres are sums until the end. */
static void grow(protea_box *a, const protea_box *b)
{
    for (int axis = 0; axis < 2; axis++) {
        a->low[axis] = fminf(a->low[axis], b->low[axis]);
        a->high[axis] = fmaxf(a->high[axis], b->high[axis]);
        a->centre[axis] += b->centre[axis] * b->mass;
    }
    a->mass += b->mass;
}

static protea_box finished(protea_box b, double theta)
{
    b.centre[0] /= b.mass;
    b.centre[1] /= b.mass;
    set_near(&b, theta);
    return b;
}

static const protea_box nothing = { .low = { INFINITY, INFINITY }, .high = { -INFINITY, -INFINITY } };

/* Takes its points from where they are; the places after the last one are filled with it. */
static void build_leaf(protea_box_tree *t, int64_t leaf, const float *x, const float *y, double theta)
{
    protea_box b = nothing;
    for (int64_t at = leaf * GROUP; at < (leaf + 1) * GROUP; at++) {
        int64_t last = at < t->n ? at : t->n - 1, i = (int64_t)(uint32_t)t->key[last];
        const protea_box point = { { x[i], y[i] }, { x[i], y[i] }, { x[i], y[i] }, at < t->n ? 1 : 0, 0 };
        t->order[last] = (int32_t)i;
        t->x[at] = x[i];
        t->y[at] = y[i];
        t->mass[at] = point.mass;
        grow(&b, &point);
    }
    t->box[leaf] = finished(b, theta);
}

/* Children of a box of a level above the leaves: from *first to before *end. */
static void children_of(const protea_box_tree *t, int level, int64_t at, int64_t *first, int64_t *end)
{
    *first = t->level[level - 1] + (at - t->level[level]) * CHILDREN;
    *end = *first + CHILDREN < t->level[level] ? *first + CHILDREN : t->level[level];
}

static void build_level(protea_box_tree *t, int level, double theta)
{
    for (int64_t at = t->level[level]; at < t->level[level + 1]; at++) {
        protea_box b = nothing;
        int64_t child, end;
        for (children_of(t, level, at, &child, &end); child < end; child++)
            grow(&b, &t->box[child]);
        t->box[at] = finished(b, theta);
    }
}

void protea_box_tree_build(protea_box_tree *t, const float *x, const float *y, double theta)
{
    put_in_order(t, x, y);
#pragma omp parallel for schedule(static)
    for (int64_t leaf = 0; leaf < t->level[1]; leaf++)
        build_leaf(t, leaf, x, y, theta);
    for (int level = 1; level < t->n_levels; level++)
        build_level(t, level, theta);
}

/* ---- repulsion */

/* What pushes a leaf: points and boxes alike, handed over when enough have come together. Not cleared: only n of them count. */
typedef struct crowd {
    const protea_ctx *cx;
    const protea_box_tree *t;
    protea_map_sums *sums;
    int64_t leaf, n;
    float x[TOGETHER + GROUP], y[TOGETHER + GROUP], mass[TOGETHER + GROUP];
} crowd;

static void hand_over(crowd *c)
{
    const protea_map_points from = { c->x, c->y, c->mass };
    c->cx->be->k.repel(c->cx->be, c->sums, c->t->x + c->leaf * GROUP, c->t->y + c->leaf * GROUP, &from, c->n);
    c->n = 0;
}

static void add_box(crowd *c, const protea_box *b)
{
    c->x[c->n] = b->centre[0];
    c->y[c->n] = b->centre[1];
    c->mass[c->n++] = b->mass;
}

static void add_leaf(crowd *c, int64_t leaf)
{
    memcpy(c->x + c->n, c->t->x + leaf * GROUP, GROUP * sizeof *c->x);
    memcpy(c->y + c->n, c->t->y + leaf * GROUP, GROUP * sizeof *c->y);
    memcpy(c->mass + c->n, c->t->mass + leaf * GROUP, GROUP * sizeof *c->mass);
    c->n += GROUP;
}

static float gap(float low, float high, float at)
{
    float below = low - at, above = at - high, most = below > above ? below : above;
    return most > 0 ? most : 0;
}

/* No point of `to` is nearer to the box's centre than theta wants. */
static bool is_far(const protea_box *to, const protea_box *b)
{
    float dx = gap(to->low[0], to->high[0], b->centre[0]), dy = gap(to->low[1], to->high[1], b->centre[1]);
    return dx * dx + dy * dy > b->near;
}

typedef struct open_box { int level; int64_t at; } open_box;

void protea_box_tree_repel(const protea_ctx *cx, protea_map_sums *sums, const protea_box_tree *t, int64_t leaf)
{
    crowd c;
    open_box open[MOST_OPEN] = { { t->n_levels - 1, t->level[t->n_levels - 1] } };
    c.cx = cx;
    c.t = t;
    c.sums = sums;
    c.leaf = leaf;
    c.n = 0;
    for (int n_open = 1; n_open > 0; ) {
        const open_box b = open[--n_open];
        int64_t child, end;
        if (is_far(&t->box[leaf], &t->box[b.at]))
            add_box(&c, &t->box[b.at]);
        else if (b.level == 0)
            add_leaf(&c, b.at);
        else
            for (children_of(t, b.level, b.at, &child, &end); child < end; child++)
                open[n_open++] = (open_box){ b.level - 1, child };
        if (c.n >= TOGETHER)
            hand_over(&c);
    }
    hand_over(&c);
}
