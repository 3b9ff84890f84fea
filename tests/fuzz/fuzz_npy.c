/* `.npy`: the bytes as images, as labels of three images, and as the names of their classes. */
#include "format/npy.h"
#include "fuzz.h"

static protea_status open_path(const char *path)
{
    protea_packed_file file;
    protea_opened set = { 0 };
    const protea_limits limits = fuzz_limits();
    protea_status status = protea_packed_file_open(&file, path, &limits);
    if (status == PROTEA_OK)
        status = protea_open_npy(&set, path, &file);
    protea_packed_file_close(&file);
    fuzz_close(&set);
    return status;
}

static void write_array(char path[static 128], const char *name, const char *header, const void *elements, size_t len)
{
    char bytes[256] = "\x93NUMPY\1\0\x76\0";
    int written = snprintf(bytes + 10, sizeof bytes - 10, "%-117s\n", header);
    memcpy(bytes + 10 + written, elements, len);
    fuzz_file(path, name, bytes, 10 + (size_t)written + len);
}

static void as_labels_and_classes(const uint8_t *data, size_t size)
{
    char images[128], other[128], wide[128];
    write_array(images, "images.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 1, 3), }", "abcdefghi", 9);
    fuzz_file(other, "images-labels.npy", data, size);
    fuzz_is_good(open_path(images));
    write_array(wide, "wide.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 1, 3), }", "abcdefghi", 9);
    write_array(other, "wide-labels.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "\0\1\1", 3);
    fuzz_file(other, "wide-classes.txt", data, size);
    fuzz_is_good(open_path(wide));
}

static void as_a_map(const uint8_t *data, size_t size)
{
    char path[128];
    protea_npy_map map;
    fuzz_file(path, "map.npy", data, size);
    if (fuzz_is_good(protea_npy_map_open(&map, path))) {
        const volatile uint8_t *bytes = map.t.data;
        size_t len = protea_bytes(&map.t);
        for (size_t i = 0; i < len; i++)
            (void)bytes[i];
    }
    protea_npy_map_close(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(protea_open_npy, "no-such-folder/input.npy", data, size);
    as_labels_and_classes(data, size);
    as_a_map(data, size);
    return 0;
}
