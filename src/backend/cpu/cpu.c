/* The CPU back-end: reference kernels first, then what is faster on this machine over them. */
#include <stdio.h>

#include "backend/cpu/fill.h"

static void cpu_close(protea_backend *be)
{
    protea_free(be);
}

static void fill_reference(protea_kernels *k)
{
    protea_ref_fill_layout(k);
    protea_ref_fill_conv(k);
    protea_ref_fill_batchnorm(k);
    protea_ref_fill_elementwise(k);
    protea_ref_fill_pool(k);
    protea_ref_fill_dense(k);
}

protea_status protea_backend_cpu_open(protea_backend **out, protea_isa most)
{
    protea_backend *be;
    *out = NULL;
    (void)most;
    PROTEA_TRY(protea_new(&be, 1, sizeof *be, "the CPU back-end"));
    fill_reference(&be->k);
    be->close = cpu_close;
    snprintf(be->isa, sizeof be->isa, "reference");
    *out = be;
    return PROTEA_OK;
}

void protea_backend_close(protea_backend *be)
{
    if (be != NULL)
        be->close(be);
}
