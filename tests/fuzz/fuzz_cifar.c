/* CIFAR-10's and CIFAR-100's records. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_open(protea_open_cifar10, "input.bin", data, size);
    fuzz_open(protea_open_cifar100, "input.bin", data, size);
    return 0;
}
