/* What a file of weights, a run or a file of vectors is. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/inspect.h"
#include "base/bytes.h"
#include "eval/model_file.h"
#include "format/npy.h"
#include "format/safetensors.h"
#include "train/checkpoint.h"

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Trained scalars: what is called weight or bias and is not the optimiser's. */
static int64_t count_parameters(const protea_st_file *file)
{
    int64_t total = 0;
    for (int64_t i = 0; i < protea_st_count(file); i++) {
        const char *name = protea_st_name(file, i);
        const protea_tensor *t = protea_st_find(file, name);
        if (t != NULL && !starts_with(name, "optimizer.") && (ends_with(name, ".weight") || ends_with(name, ".bias")))
            total += protea_count(t);
    }
    return total;
}

/* key of the metadata, as a number where it is one. */
static void put_metadata(json_t *result, const char *name, const protea_st_file *file, const char *key)
{
    const char *text = protea_st_metadata(file, key);
    if (text == NULL)
        return;
    char *end, shown[600];
    long long number = strtoll(text, &end, 10);
    bool whole = *text != 0 && *end == 0;
    json_object_set_new(result, name, whole ? json_integer(number) : json_string(protea_escape(shown, sizeof shown, text)));
}

static void describe(json_t *result, const protea_st_file *file)
{
    json_object_set_new(result, "tensors", json_integer(protea_st_count(file)));
    json_object_set_new(result, "parameters", json_integer(count_parameters(file)));
    put_metadata(result, "method", file, "protea.method");
    put_metadata(result, "epoch", file, "protea.epoch");
    put_metadata(result, "step", file, "protea.step");
    put_metadata(result, "arch", file, "protea.arch");
    put_metadata(result, "stem", file, "protea.stem");
    put_metadata(result, "image_size", file, "protea.image_size");
    put_metadata(result, "mean", file, "protea.mean");
    put_metadata(result, "std", file, "protea.std");
}

static bool has_optimizer(const protea_st_file *file)
{
    for (int64_t i = 0; i < protea_st_count(file); i++)
        if (starts_with(protea_st_name(file, i), "optimizer."))
            return true;
    return false;
}

protea_status protea_inspect_weights(const protea_call *call, const char *path)
{
    protea_st_file *file;
    PROTEA_TRY(protea_st_open(&file, path));
    json_object_set_new(call->result, "kind", json_string(has_optimizer(file) ? "checkpoint" : "model"));
    describe(call->result, file);
    protea_st_close(file);
    return PROTEA_OK;
}

protea_status protea_inspect_run(const protea_call *call, const char *dir)
{
    protea_st_file *file;
    const protea_ctx cx = { .log = call->hooks->log, .log_cookie = call->hooks->cookie };
    PROTEA_TRY(protea_checkpoint_open(&cx, &file, dir));
    if (file == NULL) /* adapt leaves a model alone */
        PROTEA_TRY(protea_run_file_open(&file, dir, PROTEA_RUN_MODEL));
    json_object_set_new(call->result, "kind", json_string("run"));
    if (file == NULL) {
        json_object_set_new(call->result, "tensors", json_integer(0));
        return PROTEA_OK;
    }
    describe(call->result, file);
    protea_st_close(file);
    return PROTEA_OK;
}

/* What the header of an .npy says. */
static protea_status look(protea_tensor *t, const char *path)
{
    protea_blob blob = { .fd = -1 };
    uint64_t start;
    PROTEA_TRY(protea_open_regular(AT_FDCWD, path, path, &blob.fd, &blob.size));
    protea_status status = protea_npy_look(t, &start, &blob, path);
    close(blob.fd);
    return status;
}

bool protea_inspect_is_images(const char *path)
{
    protea_tensor t;
    return look(&t, path) == PROTEA_OK && t.dtype == PROTEA_U8 && t.n_dims == 4 && t.dim[3] == 3;
}

protea_status protea_inspect_vectors(const protea_call *call, const char *path)
{
    static const char *const types[] = { [PROTEA_F32] = "f32", [PROTEA_BF16] = "bf16", [PROTEA_U8] = "u8", [PROTEA_I32] = "i32",
                                         [PROTEA_I64] = "i64" };
    protea_tensor t;
    PROTEA_TRY(look(&t, path));
    json_t *shape = json_array();
    for (int i = 0; i < t.n_dims; i++)
        json_array_append_new(shape, json_integer(t.dim[i]));
    json_object_set_new(call->result, "kind", json_string("npy"));
    json_object_set_new(call->result, "n", json_integer(t.n_dims > 0 ? t.dim[0] : 1));
    json_object_set_new(call->result, "shape", shape);
    json_object_set_new(call->result, "type", json_string(types[t.dtype]));
    return PROTEA_OK;
}
