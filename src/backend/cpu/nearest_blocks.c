/* Nearest centroids: a thread takes a block of rows, copies it into a layout that suits the arithmetic, and compares it with a
 * chunk of panels of centroids after another; block and chunk stay in the second cache. Of the n x K distances only a few
 * running minima per row are ever in memory.
 *
 * A pack: centre (depth), panels, scratch of each thread. */
#include <math.h>
#include <string.h>

#include "backend/bf16.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/nearest.h"
#include "base/parallel.h"

enum { LINE = 64, MOST_ROWS = 512, BLOCK_BYTES = 512 << 10, CHUNK_BYTES = 1 << 20 };

static size_t lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

/* Where everything lies in a pack. */
typedef struct layout {
    const protea_nearest_ops *ops;
    int64_t depth, n_panels, chunk_panels, block_rows;
    size_t panel_bytes;
    size_t panels, scratch;                     /* offsets in the pack; the centre is at 0 */
    size_t best, where, scratch_bytes;          /* offsets in a thread's scratch; the block of rows is at 0 */
} layout;

static layout layout_of(const protea_backend *be, const protea_nearest_dims *dims)
{
    const protea_nearest_ops *ops = protea_cpu_of(be)->nearest[dims->dtype == PROTEA_BF16];
    layout l = { .ops = ops, .depth = (dims->d + ops->columns - 1) / ops->columns * ops->columns,
                 .n_panels = (dims->k + ops->panel - 1) / ops->panel };
    size_t row_bytes = (size_t)l.depth * ops->bytes;
    int64_t rows = (int64_t)(BLOCK_BYTES / row_bytes) / ops->rows * ops->rows;
    l.block_rows = rows < ops->rows ? ops->rows : rows > MOST_ROWS ? MOST_ROWS : rows;
    l.panel_bytes = ops->head + lines(row_bytes * (size_t)ops->panel);
    l.chunk_panels = l.panel_bytes < CHUNK_BYTES ? (int64_t)(CHUNK_BYTES / l.panel_bytes) : 1;
    l.panels = lines((size_t)l.depth * sizeof(float));
    l.scratch = l.panels + (size_t)l.n_panels * l.panel_bytes;
    size_t minima = lines((size_t)(l.block_rows * ops->lanes) * sizeof(float));
    size_t plain_panel = (size_t)(ops->panel * (l.depth + 1)) * sizeof(float); /* with shifts; while packing */
    l.best = lines(row_bytes * (size_t)l.block_rows);
    l.where = l.best + minima;
    l.scratch_bytes = l.where + minima;
    l.scratch_bytes = lines(plain_panel > l.scratch_bytes ? plain_panel : l.scratch_bytes);
    return l;
}

static size_t nearest_bytes(const protea_backend *be, const protea_nearest_dims *dims)
{
    layout l = layout_of(be, dims);
    return l.scratch + (size_t)protea_threads() * l.scratch_bytes;
}

/* One centroid (depth) less the centre, as the products will see it; returns its squared length. */
static float centred(float *restrict out, const float *centroid, const float *centre, const layout *l, int64_t d)
{
    double squares = 0;
    for (int64_t i = 0; i < d; i++) {
        float value = centroid[i] - centre[i];
        out[i] = l->ops->bf16 ? protea_bf16_to_f32(protea_f32_to_bf16(value)) : value;
        squares += (double)out[i] * (double)out[i];
    }
    memset(out + d, 0, (size_t)(l->depth - d) * sizeof *out);
    return (float)squares;
}

static void nearest_pack(protea_backend *be, void *pack, const float *centroids, const float *centre,
                         const protea_nearest_dims *dims)
{
    layout l = layout_of(be, dims);
    char *base = pack;
    int64_t width = l.ops->panel;
    memset(base, 0, l.panels);
    memcpy(base, centre, (size_t)dims->d * sizeof *centre);
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < l.n_panels; p++) {
        float *plain = (float *)(base + l.scratch + (size_t)protea_thread_index() * l.scratch_bytes);
        float *shift = plain + width * l.depth;
        memset(plain, 0, (size_t)(width * l.depth) * sizeof *plain);
        for (int64_t j = 0; j < width; j++) {
            const float *centroid = centroids + (p * width + j) * dims->d;
            shift[j] = p * width + j < dims->k ? centred(plain + j * l.depth, centroid, centre, &l, dims->d) : INFINITY;
        }
        l.ops->pack(base + l.panels + (size_t)p * l.panel_bytes, plain, shift, l.depth);
    }
}

/* The least of a row's minima; of equals the centroid with the lowest number. */
static int32_t lowest(float *score, const float *best, const int32_t *where, int64_t lanes)
{
    int64_t index = where[0] * lanes;
    float least = best[0];
    for (int64_t i = 1; i < lanes; i++) {
        int64_t other = where[i] * lanes + i;
        if (best[i] < least || (best[i] == least && other < index)) {
            least = best[i];
            index = other;
        }
    }
    *score = least;
    return (int32_t)index;
}

/* Of a block of rows. */
static void do_block(int32_t *index, float *score, const float *x, const int64_t *rows, int64_t n, const layout *l, char *pack,
                     const protea_nearest_dims *dims)
{
    char *scratch = pack + l->scratch + (size_t)protea_thread_index() * l->scratch_bytes;
    float *best = (float *)(scratch + l->best);
    int32_t *where = (int32_t *)(scratch + l->where);
    int64_t lanes = l->ops->lanes, vectors = l->ops->panel / lanes;
    l->ops->copy(scratch, x, rows, n, (const float *)pack, dims->d, l->depth);
    for (int64_t i = 0; i < l->block_rows * lanes; i++)
        best[i] = INFINITY;
    memset(where, 0, (size_t)(l->block_rows * lanes) * sizeof *where);
    for (int64_t p = 0; p < l->n_panels; p += l->chunk_panels) {
        int64_t count = l->n_panels - p < l->chunk_panels ? l->n_panels - p : l->chunk_panels;
        l->ops->compare(best, where, scratch, n, pack + l->panels + (size_t)p * l->panel_bytes, l->panel_bytes, count,
                        p * vectors, l->depth);
    }
    for (int64_t i = 0; i < n; i++) {
        float least;
        index[i] = lowest(&least, best + i * lanes, where + i * lanes, lanes);
        if (score != NULL)
            score[i] = least;
    }
}

static void nearest(protea_backend *be, int32_t *index, float *score, const float *x, const int64_t *rows, int64_t n, void *pack,
                    const protea_nearest_dims *dims)
{
    layout l = layout_of(be, dims);
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < n; first += l.block_rows) {
        int64_t count = n - first < l.block_rows ? n - first : l.block_rows;
        do_block(index + first, score != NULL ? score + first : NULL, rows != NULL ? x : x + first * dims->d,
                 rows != NULL ? rows + first : NULL, count, &l, pack, dims);
    }
}

/* Of a block of rows, numbered from `first` on. */
static void block_below(const protea_near_sink *sink, int64_t first, const float *x, int64_t n, const layout *l, char *pack,
                        const protea_nearest_dims *dims)
{
    char *block = pack + l->scratch + (size_t)protea_thread_index() * l->scratch_bytes;
    l->ops->copy(block, x + first * dims->d, NULL, n, (const float *)pack, dims->d, l->depth);
    for (int64_t p = 0; p < l->n_panels; p += l->chunk_panels) {
        int64_t count = l->n_panels - p < l->chunk_panels ? l->n_panels - p : l->chunk_panels;
        l->ops->below(sink, (int32_t)first, block, n, pack + l->panels + (size_t)p * l->panel_bytes, l->panel_bytes, count,
                      (int32_t)(p * l->ops->panel), l->depth);
    }
}

static void nearest_below(protea_backend *be, const protea_near_sink *sink, const float *x, int64_t n, void *pack,
                          const protea_nearest_dims *dims)
{
    layout l = layout_of(be, dims);
#pragma omp parallel for schedule(dynamic)
    for (int64_t first = 0; first < n; first += l.block_rows)
        block_below(sink, first, x, n - first < l.block_rows ? n - first : l.block_rows, &l, pack, dims);
}

void protea_nearest_fill(protea_kernels *k)
{
    k->nearest_bytes = nearest_bytes;
    k->nearest_pack = nearest_pack;
    k->nearest = nearest;
    k->nearest_below = nearest_below;
}
