/* The table of residual networks (He et al. 2016, table 1; widths as in SwAV's repository and for small images). */
#include "nn/resnet_arch.h"

#include <protea/options.h>
#include <string.h>

#include "nn/layers.h"

#define ARCHS(X)                            \
    X("resnet18", false, 2, 2, 2, 2, 64)    \
    X("resnet34", false, 3, 4, 6, 3, 64)    \
    X("resnet50", true, 3, 4, 6, 3, 64)     \
    X("resnet101", true, 3, 4, 23, 3, 64)   \
    X("resnet50w2", true, 3, 4, 6, 3, 128)  \
    X("resnet50w4", true, 3, 4, 6, 3, 256)  \
    X("resnet50w5", true, 3, 4, 6, 3, 320)  \
    X("resnet18-w16", false, 2, 2, 2, 2, 16) \
    X("resnet18-w32", false, 2, 2, 2, 2, 32)

#define ROW(name, bottleneck, n1, n2, n3, n4, width) { name, bottleneck, { n1, n2, n3, n4 }, width },
#define NAME(name, bottleneck, n1, n2, n3, n4, width) name,
static const protea_resnet_arch archs[] = { ARCHS(ROW) };
static const char *const arch_names[] = { ARCHS(NAME) NULL };
enum { N_ARCHS = sizeof archs / sizeof archs[0] };

const char *const *protea_resnet_archs(void)
{
    return arch_names;
}

protea_status protea_resnet_find(const protea_resnet_arch **out, const char *name)
{
    for (int i = 0; i < N_ARCHS; i++)
        if (strcmp(archs[i].name, name) == 0) {
            *out = &archs[i];
            return PROTEA_OK;
        }
    const char *nearest = protea_nearest(name, arch_names);
    return protea_fail(PROTEA_ERR_USAGE, "arch: there is no '%s'; the nearest is %s", name, nearest ? nearest : arch_names[0]);
}
