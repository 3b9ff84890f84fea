/* IDX: the bytes as pictures, and as labels of three of them. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t pictures[] = { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 10, 20, 30 };
    char labels[128], path[128];
    fuzz_open(protea_open_idx, "no-such-folder/input", data, size);
    fuzz_file(path, "t-images-idx3-ubyte", pictures, sizeof pictures);
    fuzz_file(labels, "t-labels-idx1-ubyte", data, size);
    fuzz_open(protea_open_idx, path, pictures, sizeof pictures);
    return 0;
}
