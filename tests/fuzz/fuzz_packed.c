/* Compressed files (gz, xz, zst): the bytes unpacked within limits, and what comes out as an archive. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const protea_limits limits = fuzz_limits();
    char path[128];
    protea_packed_file file;
    fuzz_file(path, "input", data, size);
    if (fuzz_is_good(protea_packed_file_open(&file, path, &limits))) {
        if (protea_packed_file_memory(&file) > (size_t)limits.max_memory)
            fuzz_stop("more memory than the limit");
        protea_opened set = { 0 };
        if (fuzz_is_good(protea_open_tar(&set, path, &file)))
            fuzz_read_some(&set);
        fuzz_close(&set);
    }
    protea_packed_file_close(&file);
    return 0;
}
