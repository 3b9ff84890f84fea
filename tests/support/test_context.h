/* A context for tests: CPU back-end, one process, arenas of a fixed size. */
#ifndef PROTEA_TESTS_SUPPORT_TEST_CONTEXT_H
#define PROTEA_TESTS_SUPPORT_TEST_CONTEXT_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "comm/comm.h"
#include "isa.h"
#include "tensor/context.h"

#define assert_ok(call)                                 \
    do {                                                \
        protea_status assert_status_ = (call);          \
        if (assert_status_ != PROTEA_OK)                \
            fail_msg("%s: %s", #call, protea_last_error()); \
    } while (0)

static inline protea_ctx test_context_open(size_t arena_bytes)
{
    protea_ctx cx = { .compute = PROTEA_F32, .threads = protea_threads(), .seed = 1 };
    assert_ok(protea_backend_cpu_open(&cx.be, test_isa()));
    assert_ok(protea_comm_self(&cx.comm));
    assert_ok(protea_arena_new(&cx.kept, arena_bytes, "test"));
    assert_ok(protea_arena_new(&cx.scratch, arena_bytes, "test"));
    return cx;
}

static inline void test_context_close(protea_ctx *cx)
{
    protea_arena_free(cx->kept);
    protea_arena_free(cx->scratch);
    protea_comm_free(cx->comm);
    protea_backend_close(cx->be);
}

/* Plain f32 rows over memory of the test's own. */
static inline protea_tensor test_rows(float *data, int64_t n, int64_t c)
{
    return (protea_tensor){ .data = data, .dtype = PROTEA_F32, .n_dims = 2, .dim = { n, c } };
}

#endif
