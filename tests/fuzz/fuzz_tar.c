/* Archives: the index of a tar, and its members as pictures. The bytes are taken as they are, then with the checksum of every
 * block that could be a header put right. */
#include "data/tar_index.h"
#include "fuzz.h"

static void put_checksum_right(uint8_t *block)
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (int i = 0; i < PROTEA_TAR_BLOCK; i++)
        sum += block[i];
    for (int i = 0; i < 6; i++)
        block[148 + i] = (uint8_t)('0' + (sum >> (15 - 3 * i) & 7));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(protea_open_tar, "input.tar", data, size);
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL || size == 0)
        return free(copy), 0;
    memcpy(copy, data, size);
    for (size_t at = 0; size - at >= PROTEA_TAR_BLOCK; at += PROTEA_TAR_BLOCK)
        if (memcmp(copy + at + 257, "ustar", 5) == 0)
            put_checksum_right(copy + at);
    fuzz_open(protea_open_tar, "input.tar", copy, size);
    free(copy);
    return 0;
}
