#include "api/image_map.h"

#include <string.h>

#include "base/file.h"
#include "eval/principal_axes.h"
#include "eval/tsne.h"
#include "format/csv.h"

enum { MOST_BY_TSNE = 100000, COLUMNS = 4, NUMBER = 32 };

/* ---- t-SNE, with its progress */

typedef struct watched {
    const protea_hooks *hooks;
    protea_ticker ticker;
    const char *stage;  /* the one that the ticker was started for */
} watched;

static int watch(void *cookie, const protea_tsne_progress *progress)
{
    watched *w = cookie;
    bool rows = strcmp(progress->stage, "neighbours") == 0;
    char note[48] = "";
    if (w->stage == NULL || strcmp(w->stage, progress->stage) != 0) {
        w->stage = progress->stage;
        protea_ticker_start(&w->ticker, w->hooks);
    }
    if (progress->kl > 0)
        snprintf(note, sizeof note, "KL %.3f", progress->kl);
    protea_ticker_tick(&w->ticker, rows ? "map: neighbours" : "map: t-SNE", (double)progress->done, (double)progress->total,
                       rows ? "images" : "iterations", note);
    return w->hooks->stop != NULL && *w->hooks->stop;
}

static protea_status make_tsne(protea_ctx *cx, protea_image_map *map, const protea_good_rows *rows, const protea_hooks *hooks)
{
    watched w = { .hooks = hooks };
    protea_tsne_opts opts = protea_tsne_defaults();
    protea_tsne_out out = { .xy = map->xy };
    opts.seed = cx->seed;
    opts.name = "map";
    opts.each = watch;
    opts.cookie = &w;
    protea_status status = protea_tsne_fit(cx, &out, rows->z, rows->n, rows->dim, &opts);
    if (status == PROTEA_STOPPED)
        return protea_fail(PROTEA_ERR_INTERNAL, "map: stopped, nothing is written");
    map->kl = out.kl;
    snprintf(map->rule, sizeof map->rule, "t-SNE (perplexity %.3g, %lld iterations, divergence %.2f)", out.perplexity,
             (long long)opts.iterations, out.kl);
    return status;
}

/* ---- principal axes */

static protea_status make_pca(protea_image_map *map, const protea_good_rows *rows)
{
    double share[2];
    PROTEA_TRY(protea_principal_axes(map->xy, share, rows->z, rows->n, rows->dim));
    snprintf(map->rule, sizeof map->rule, "the first two principal axes, which hold %.0f %% and %.0f %% of the variance",
             100 * share[0], 100 * share[1]);
    return PROTEA_OK;
}

protea_status protea_image_map_make(protea_ctx *cx, protea_image_map *map, const protea_good_rows *rows, int32_t choice,
                                    const protea_hooks *hooks)
{
    if (choice == PROTEA_MAP_NONE)
        return PROTEA_OK;
    PROTEA_TRY(protea_new(&map->xy, (size_t)rows->n, 2 * sizeof *map->xy, "a map"));
    if (choice == PROTEA_MAP_TSNE || (choice == PROTEA_MAP_AUTO && rows->n <= MOST_BY_TSNE))
        return make_tsne(cx, map, rows, hooks);
    return make_pca(map, rows);
}

void protea_image_map_release(protea_image_map *map)
{
    protea_free(map->xy);
    *map = (protea_image_map){ 0 };
}

/* ---- its file */

protea_status protea_image_map_write(const char *path, const protea_image_map *map, const protea_good_rows *rows,
                                     const protea_source *source)
{
    static const char *const head[COLUMNS] = { "row", "path", "x", "y" };
    protea_new_file file;
    PROTEA_TRY(protea_new_file_open(&file, path));
    protea_csv_row(file.stream, COLUMNS, head);
    for (int64_t i = 0; i < rows->n; i++) {
        char row[NUMBER], x[NUMBER], y[NUMBER];
        const char *const field[COLUMNS] = { row, protea_source_name(source, rows->image[i]), x, y };
        snprintf(row, sizeof row, "%lld", (long long)i);
        snprintf(x, sizeof x, "%.6g", (double)map->xy[2 * i]);
        snprintf(y, sizeof y, "%.6g", (double)map->xy[2 * i + 1]);
        protea_csv_row(file.stream, COLUMNS, field);
    }
    return protea_new_file_commit(&file);
}
