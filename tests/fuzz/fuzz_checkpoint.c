/* Checkpoints and other safetensors: every tensor is read to its end and copied, every text of the metadata that is a list of
 * class names is taken as one. */
#include "format/class_names.h"
#include "format/safetensors.h"
#include "fuzz.h"

static void copy_tensor(const char *name, const protea_tensor *from)
{
    protea_tensor to = *from;
    if (protea_new(&to.data, protea_bytes(from), 1, "a copy") != PROTEA_OK)
        fuzz_stop("a tensor larger than its file");
    fuzz_is_good(protea_st_copy("input", name, &to, from));
    protea_free(to.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[128];
    protea_st_file *file;
    fuzz_file(path, "input.safetensors", data, size);
    if (!fuzz_is_good(protea_st_open(&file, path)))
        return 0;
    for (int64_t i = 0; i < protea_st_count(file); i++) {
        const char *name = protea_st_name(file, i);
        copy_tensor(name, protea_st_find(file, name));
    }
    const char *classes = protea_st_metadata(file, "protea.classes");
    protea_class_names names = { 0 };
    if (classes != NULL)
        fuzz_is_good(protea_class_names_read(&names, classes, path, "protea.classes"));
    protea_class_names_release(&names);
    protea_st_close(file);
    return 0;
}
