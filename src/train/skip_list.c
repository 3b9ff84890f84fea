#include "train/skip_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { NAME_MAX_BYTES = 4096, REASON_MAX_BYTES = 1024, FILE_MAX_BYTES = 1 << 28 };

static protea_status out_of_memory(int64_t lines)
{
    return protea_fail(PROTEA_ERR_MEMORY, "%s: no memory for %lld lines", PROTEA_RUN_SKIPPED, (long long)lines);
}

static void print_skips(FILE *out, const protea_source *source, const protea_skip *skips, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        char name[NAME_MAX_BYTES], reason[REASON_MAX_BYTES];
        protea_escape(name, sizeof name, protea_source_name(source, skips[i].index));
        protea_escape(reason, sizeof reason, skips[i].reason);
        fprintf(out, "%s\t%s\n", name, reason);
    }
}

protea_status protea_skip_list_write(const protea_rundir *run, const protea_source *source)
{
    char file[PROTEA_PATH_MAX];
    const protea_skip *skips;
    char *text = NULL;
    size_t len = 0;
    int64_t n = protea_source_skipped(source, &skips);
    PROTEA_TRY(protea_rundir_file(run, file, PROTEA_RUN_SKIPPED));
    if (n == 0) {
        unlink(file);
        return PROTEA_OK;
    }
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return out_of_memory(n);
    print_skips(out, source, skips, n);
    bool failed = ferror(out) != 0;
    failed |= fclose(out) != 0 || text == NULL; /* glibc closes well where it could not give the text */
    protea_status status = failed ? out_of_memory(n) : protea_file_write(file, text, len);
    free(text);
    return status;
}

/* A line of the file; both strings lie in its text. */
typedef struct skip_line {
    const char *name, *reason;
} skip_line;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const skip_line *)a)->name, ((const skip_line *)b)->name);
}

/* Cuts text into lines; *lines: owned. A line without a tab is passed over. */
static protea_status split(char *text, skip_line **lines, size_t *n)
{
    size_t most = 1;
    char *save = NULL;
    *n = 0;
    for (const char *c = text; *c != 0; c++)
        most += *c == '\n';
    PROTEA_TRY(protea_new(lines, most, sizeof **lines, PROTEA_RUN_SKIPPED));
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        char *tab = strchr(line, '\t');
        if (tab == NULL)
            continue;
        *tab = 0;
        (*lines)[(*n)++] = (skip_line){ line, tab + 1 };
    }
    qsort(*lines, *n, sizeof **lines, by_name);
    return PROTEA_OK;
}

static protea_status tell(protea_source *source, const skip_line *lines, size_t n)
{
    for (int64_t i = 0; i < protea_source_count(source); i++) {
        char name[NAME_MAX_BYTES];
        skip_line key = { .name = protea_escape(name, sizeof name, protea_source_name(source, i)) };
        const skip_line *known = bsearch(&key, lines, n, sizeof *lines, by_name);
        if (known != NULL)
            PROTEA_TRY(protea_source_skip(source, i, known->reason));
    }
    return PROTEA_OK;
}

protea_status protea_skip_list_read(const protea_rundir *run, protea_source *source)
{
    char file[PROTEA_PATH_MAX], *text;
    skip_line *lines = NULL;
    size_t len, n;
    PROTEA_TRY(protea_rundir_file(run, file, PROTEA_RUN_SKIPPED));
    if (access(file, F_OK) != 0)
        return PROTEA_OK;
    PROTEA_TRY(protea_file_read(&text, &len, file, FILE_MAX_BYTES));
    protea_status status = split(text, &lines, &n);
    if (status == PROTEA_OK)
        status = tell(source, lines, n);
    protea_free(lines);
    protea_free(text);
    return status;
}
