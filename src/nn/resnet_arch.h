/* Which residual networks there are. */
#ifndef PROTEA_NN_RESNET_ARCH_H
#define PROTEA_NN_RESNET_ARCH_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROTEA_RESNET_STAGES = 4 };

typedef struct protea_resnet_arch {
    const char *name;
    bool bottleneck;
    int blocks[PROTEA_RESNET_STAGES];
    int64_t width; /* of the stem and the first stage's 3x3 convolutions */
} protea_resnet_arch;

/* Errors: PROTEA_ERR_USAGE with the nearest name. */
protea_status protea_resnet_find(const protea_resnet_arch **out, const char *name);

#endif
