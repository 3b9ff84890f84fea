/* What the files for oneDNN 2.x share. */
#ifndef PROTEA_BACKEND_CPU_ONEDNN_V2_H
#define PROTEA_BACKEND_CPU_ONEDNN_V2_H

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR != 2
#error "onednn_v2*.c speak oneDNN 2.x (Debian 12 has 2.6.3); another major version needs its own implementation of onednn.h"
#endif

#include "backend/cpu/onednn.h"
#include "backend/cpu/weight_tiles.h"

struct protea_onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    protea_onednn_isa isa;
};

/* A failed call of oneDNN's as a status of ours; what: the call. */
protea_status protea_onednn_fail(dnnl_status_t status, const char *what);

/* What lays out weights like these, and their tiles; NULL: oneDNN's reorder must. */
const protea_weight_tiles_ops *protea_onednn_tiles(protea_weight_tiles *out, const protea_onednn *o,
                                                   const dnnl_memory_desc_t *packed);

/* oneDNN writes machine code into memory that it does not check, and C++ exceptions do not pass through C: what it may want is
 * made sure of first. */
enum { PROTEA_ONEDNN_ROOM = 32 << 20 };

#define ONEDNN_TRY(call, what)                              \
    do {                                                    \
        dnnl_status_t status_ = (call);                     \
        if (status_ != dnnl_success)                        \
            return protea_onednn_fail(status_, what);       \
    } while (0)

#endif
