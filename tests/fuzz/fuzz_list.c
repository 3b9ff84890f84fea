/* Lists: the bytes as a table with labels, and as lines of paths. What they name is looked for, not read. */
#include "fuzz.h"

static void open_list(const char *path)
{
    protea_packed_file none = { .blob.fd = -1 };
    protea_opened set = { 0 };
    if (fuzz_is_good(protea_open_list(&set, path, &none))) {
        protea_catalog_sort(&set.catalog);
        if (set.catalog.labels_by == NULL)
            fuzz_is_good(protea_catalog_label(&set.catalog, ""));
    }
    fuzz_close(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[128];
    fuzz_file(path, "input.csv", data, size);
    open_list(path);
    fuzz_file(path, "input.txt", data, size);
    open_list(path);
    return 0;
}
