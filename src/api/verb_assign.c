/* protea assign CLUSTERS DATA -o FILE.csv: puts images into clusters that are there already. */
#include <string.h>

#include "api/cluster_table.h"
#include "base/clock.h"
#include "eval/cluster_file.h"

typedef struct assign {
    protea_session_opts session;
    protea_images_opts images;
    /* while it runs */
    protea_session s;
    protea_cluster_file file;
    protea_source *source;
    protea_good_rows rows;
    protea_clustering c;
} assign;

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    assign *a = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Images", protea_images_table, &a->images));
    return protea_options_add(options, "Machine", protea_session_table, &a->session);
}

static protea_status put_in(assign *a)
{
    const protea_tensor *centroids = &a->file.centroids;
    PROTEA_TRY(protea_unit_rows(&a->s.cx, a->rows.z, a->rows.n, a->rows.dim));
    PROTEA_TRY(protea_clustering_new(&a->c, a->rows.z, a->rows.n, a->rows.dim, centroids->dim[0]));
    memcpy(a->c.centroids, centroids->data, protea_bytes(centroids));
    a->c.temperature = a->file.temperature;
    return protea_clustering_assign(&a->s.cx, &a->c);
}

static protea_status compute(assign *a, const protea_call *call)
{
    const char *data = call->arguments[1];
    PROTEA_TRY(protea_session_open(&a->s, &a->session, call->hooks));
    PROTEA_TRY(protea_cluster_file_open(&a->s.cx, &a->file, call->arguments[0]));
    if (a->images.image_size > 0 && !a->file.model.pixels)
        a->file.model.image_size = (int)a->images.image_size;
    PROTEA_TRY(protea_images_open(&a->source, data, &a->images, a->s.cx.seed));
    PROTEA_TRY(protea_good_rows_compute(&a->s.cx, &a->rows, &a->file.model, a->file.kind, a->source, data, "assign", call->hooks));
    return put_in(a);
}

static protea_status run(void *self, const protea_call *call)
{
    assign *a = self;
    double started = protea_seconds();
    PROTEA_TRY(compute(a, call));
    const protea_cluster_table table = { .source = a->source, .rows = &a->rows, .c = &a->c, .names = &a->file.names };
    PROTEA_TRY(protea_cluster_table_write(call->output, &table));
    json_object_set_new(call->result, "n", json_integer(a->rows.n));
    json_object_set_new(call->result, "k", json_integer(a->c.k));
    json_object_set_new(call->result, "used", json_integer(a->c.used));
    json_object_set_new(call->result, "skipped", json_integer(protea_source_skipped(a->source, NULL)));
    protea_put_text(call->result, "file", call->output);
    json_object_set_new(call->result, "seconds", json_real(protea_seconds() - started));
    return PROTEA_OK;
}

static void assign_free(void *self)
{
    assign *a = self;
    protea_clustering_release(&a->c);
    protea_good_rows_release(&a->rows);
    protea_source_close(a->source);
    protea_cluster_file_close(&a->file);
    protea_session_close(&a->s);
}

const protea_verb protea_verb_assign = {
    .info = { .name = "assign", .arguments = "CLUSTERS DATA", .summary = "put images into clusters that are there already",
              .min_arguments = 2, .max_arguments = 2, .output = 2, .output_name = "FILE.csv",
              .example = "protea assign clusters new-photos -o assigned.csv" },
    .size = sizeof(assign),
    .options = add_options,
    .run = run,
    .free = assign_free,
};
