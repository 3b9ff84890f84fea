/* A context for tests: back-end, one process, arenas sized by planning. */
#ifndef PROTEA_TESTS_SUPPORT_ENGINE_H
#define PROTEA_TESTS_SUPPORT_ENGINE_H

#include <stdio.h>
#include <stdlib.h>

#include "comm/comm.h"
#include "tensor/context.h"

/* Ends the test program with the message when a call that must succeed did not. */
static inline void must(protea_status status)
{
    if (status == PROTEA_OK)
        return;
    fprintf(stderr, "%s: %s\n", protea_status_name(status), protea_last_error());
    exit(1);
}

static inline void engine_open(protea_ctx *cx, protea_isa isa, protea_dtype compute)
{
    *cx = (protea_ctx){ .compute = compute, .threads = 1 };
    must(protea_backend_cpu_open(&cx->be, isa));
    must(protea_comm_self(&cx->comm));
}

static inline void engine_close(protea_ctx *cx)
{
    protea_arena_free(cx->kept);
    protea_arena_free(cx->scratch);
    protea_comm_free(cx->comm);
    protea_backend_close(cx->be);
}

/* Plans body, then runs it for real, and insists that the plan was exact. Results live until the next engine_run. */
static inline void engine_run(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self)
{
    size_t kept, scratch;
    must(protea_plan_arenas(cx, body, self, &kept, &scratch));
    must(body(cx, self));
    if (protea_arena_peak(cx->kept) == kept && protea_arena_peak(cx->scratch) == scratch)
        return;
    fprintf(stderr, "planned %zu + %zu bytes, took %zu + %zu\n", kept, scratch, protea_arena_peak(cx->kept),
            protea_arena_peak(cx->scratch));
    exit(1);
}

#endif
