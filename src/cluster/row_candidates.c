/* What is known of a query's neighbours on the way: docs/math/knn.md derives the bounds. */
#include "cluster/row_search.h"

#include <math.h>

#include "base/parallel.h"

typedef protea_wanted wanted;

uint64_t *protea_near_scratch(const protea_row_search *s)
{
    return s->scratch + protea_thread_index() * 2 * s->room;
}

/* ---- bounds */

static double root(double x)
{
    return x > 0 ? sqrt(x) : 0;
}

void protea_near_errors(const protea_row_search *s, wanted *w)
{
    double reach = w->seen.length + s->so_far.length;
    w->square_error = 0x1p-24 * ((1.25 * (double)s->d + 16) * reach * reach + 2 * ((double)s->d / 16 + 16)) + 0x1p-22;
    w->distance_error = w->seen.off + s->so_far.off + 0x1p-20;
}

float protea_near_limit(const wanted *w)
{
    double reach = w->bound + w->distance_error;
    return nextafterf((float)(reach * reach + w->square_error - w->seen.length * w->seen.length), INFINITY);
}

/* The most that the distance of a row with this score can be. */
static double largest_distance(const wanted *w, float score)
{
    return root((double)score + w->seen.length * w->seen.length + w->square_error) + w->distance_error;
}

/* ---- candidates */

/* What orders rows, smaller first. */
static float key_of(const protea_row_search *s, int64_t q, int64_t i)
{
    protea_backend *be = s->cx->be;
    const float *x = protea_row_at(&s->query, q, s->d), *c = protea_row_at(&s->gallery, i, s->d);
    if (s->metric == PROTEA_EUCLIDEAN)
        return (float)sqrt(be->k.squared_distance(be, x, c, s->d));
    return 0 - (float)(be->k.dot(be, x, c, s->d) * s->query_scale[q] * s->gallery_scale[i]);
}

double protea_near_distance(const protea_row_search *s, float key)
{
    double distance = s->metric == PROTEA_EUCLIDEAN ? (double)key * s->query_scale[0] : root(2 + 2 * (double)key);
    return distance + 0x1p-22;
}

void protea_near_compute(const protea_row_search *s, int64_t at, int64_t place)
{
    protea_near_list *l = &s->wanted[at].list;
    l->value[place] = key_of(s, s->number[at], l->row[place]);
}

void protea_near_settle(const protea_row_search *s, wanted *w)
{
    for (; w->list.n_exact < w->list.n; w->list.n_exact++)
        protea_near_compute(s, w - s->wanted, w->list.n_exact);
    protea_near_select(&w->list, s->sought, protea_near_scratch(s));
    w->list.n_exact = w->list.n;
    if (w->list.n == s->sought && s->sought > 0)
        w->bound = fmin(w->bound, protea_near_distance(s, w->list.value[s->sought - 1]));
}

void protea_near_thin_out(const protea_row_search *s, wanted *w)
{
    if (w->list.n <= s->sought || w->list.n_exact > 0)
        return;
    w->bound = fmin(w->bound, largest_distance(w, protea_near_about(&w->list, s->sought)));
    protea_near_keep(&w->list, protea_near_limit(w));
}

/* Where scores are too close together to tell, distances do; a list that has some of them goes on so. */
static void make_room(const protea_row_search *s, wanted *w)
{
    protea_near_thin_out(s, w);
    if (w->list.n > s->full / 4 * 3)
        protea_near_settle(s, w);
}

bool protea_near_is_own(const protea_row_search *s, int64_t at, int64_t i)
{
    return s->self != NULL && s->self[s->number[at]] == protea_row_number(&s->gallery, i);
}

/* Rows of zeros come at the end. */
void protea_near_take(void *self, const protea_near *near, int64_t n)
{
    const protea_row_search *s = self;
    for (int64_t at = 0; at < n; at++) {
        wanted *w = &s->wanted[near[at].row];
        int64_t i = s->slab_first + near[at].centroid * s->slab_step;
        if (!(near[at].score < s->limit[near[at].row]) || !(s->gallery_scale[i] > 0) || protea_near_is_own(s, near[at].row, i))
            continue;
        w->list.value[w->list.n] = near[at].score;
        w->list.row[w->list.n++] = (int32_t)i;
        if (w->list.n == s->full) {
            make_room(s, w);
            s->limit[near[at].row] = protea_near_limit(w);
        }
    }
}
