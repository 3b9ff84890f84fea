#include "api/cluster_table.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "format/csv.h"

enum { MORE = 7, COLUMNS = PROTEA_IMAGE_COLUMNS + MORE, NUMBER = 24 };

static void write_row(FILE *stream, const protea_cluster_table *t, int64_t i)
{
    const protea_clustering *c = t->c;
    const char *field[COLUMNS];
    char cluster[NUMBER], similarity[NUMBER], confidence[NUMBER], margin[NUMBER];
    protea_image_row line;
    int n = PROTEA_IMAGE_COLUMNS;
    protea_image_row_fill(&line, t->source, t->rows->image[i], i);
    memcpy(field, line.field, sizeof line.field);
    snprintf(cluster, sizeof cluster, "%d", (int)c->cluster[i]);
    snprintf(similarity, sizeof similarity, "%.6f", (double)c->similarity[i]);
    snprintf(confidence, sizeof confidence, "%.6f", (double)c->confidence[i]);
    snprintf(margin, sizeof margin, "%.6f", (double)c->margin[i]);
    field[n++] = cluster;
    field[n++] = t->names->name[c->cluster[i]];
    field[n++] = similarity;
    field[n++] = confidence;
    field[n++] = margin;
    if (t->outlier != NULL) {
        field[n++] = t->outlier[i] ? "1" : "0";
        field[n++] = t->first_copy[i] >= 0 ? protea_source_name(t->source, t->rows->image[t->first_copy[i]]) : "";
    }
    protea_csv_row(stream, n, field);
}

protea_status protea_cluster_table_write(const char *path, const protea_cluster_table *t)
{
    static const char *const more[MORE] = { "cluster", "name", "similarity", "confidence", "margin", "outlier", "duplicate_of" };
    const char *field[COLUMNS];
    protea_new_file file;
    PROTEA_TRY(protea_new_file_open(&file, path));
    memcpy(field, protea_image_columns, sizeof protea_image_columns);
    memcpy(field + PROTEA_IMAGE_COLUMNS, more, sizeof more);
    protea_csv_row(file.stream, t->outlier != NULL ? COLUMNS : COLUMNS - 2, field);
    for (int64_t i = 0; i < t->c->n; i++)
        write_row(file.stream, t, i);
    return protea_new_file_commit(&file);
}
