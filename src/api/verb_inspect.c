/* `protea inspect PATH`: what is this data set, checkpoint, run, model or file of vectors? Found out by content. */
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/inspect.h"
#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"

static const protea_opt table[] = {
    { .key = "sample", .type = PROTEA_OPT_INT, .offset = offsetof(protea_inspect_opts, sample), .def = "50000", .min = 0,
      .max = 1e12, .unit = "images",
      .help = "how many, evenly spread, give mean, std and sizes; 0: all" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    protea_inspect_opts *opts = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Data sets", table, opts));
    return protea_options_add(options, "Data sets", protea_data_table, &opts->images);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool holds(const char *dir, const char *name)
{
    char *path;
    if (protea_path_join(&path, dir, name) != PROTEA_OK)
        return false;
    bool found = access(path, F_OK) == 0;
    protea_free(path);
    return found;
}

/* The first bytes of a regular file; 0 where there are none. */
static size_t peek(const char *path, unsigned char *bytes, size_t size)
{
    protea_blob file = { .fd = -1 };
    if (protea_open_regular(AT_FDCWD, path, path, &file.fd, &file.size) != PROTEA_OK)
        return 0;
    size_t n = file.size < size ? (size_t)file.size : size;
    protea_status status = protea_blob_read(&file, 0, bytes, n, path);
    close(file.fd);
    return status == PROTEA_OK ? n : 0;
}

static protea_status run(void *self, const protea_call *call)
{
    const char *path = call->arguments[0];
    unsigned char head[9] = { 0 };
    if (is_directory(path) && (holds(path, "checkpoint.safetensors") || holds(path, "config.yaml")))
        return protea_inspect_run(call, path);
    size_t n = peek(path, head, sizeof head);
    if (n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0 && !protea_inspect_is_images(path))
        return protea_inspect_vectors(call, path);
    /* safetensors: a 64-bit length that no file of ours reaches the upper half of, then JSON */
    bool is_safetensors = n == 9 && head[8] == '{' && memcmp(head + 4, "\0\0\0", 4) == 0;
    size_t len = strlen(path);
    if (is_safetensors || (len > 12 && strcmp(path + len - 12, ".safetensors") == 0))
        return protea_inspect_weights(call, path);
    return protea_inspect_data(self, call, path);
}

const protea_verb protea_verb_inspect = {
    .info = { .name = "inspect", .arguments = "PATH", .summary = "what is this data set, checkpoint, run or model file?",
              .min_arguments = 1, .max_arguments = 1, .example = "protea inspect photos" },
    .size = sizeof(protea_inspect_opts),
    .options = add_options,
    .run = run,
};
