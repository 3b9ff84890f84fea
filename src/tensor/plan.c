/* A step on paper: how much memory it takes, before any of it is there. */
#include "tensor/context.h"

#include <stdarg.h>
#include <stdio.h>

void protea_log(const protea_ctx *cx, protea_log_level level, const char *format, ...)
{
    char line[1024], escaped[1024];
    if (cx->log == NULL)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    cx->log(cx->log_cookie, level, protea_escape(escaped, sizeof escaped, line));
}

/* Runs body with counting arenas in the place of cx's own; on return cx is as before. */
static protea_status count_step(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self, size_t *kept,
                                size_t *scratch)
{
    protea_arena *own_kept = cx->kept, *own_scratch = cx->scratch;
    protea_arena *kept_count = NULL, *scratch_count = NULL;
    bool was_planning = cx->planning;
    protea_status status = protea_arena_new(&kept_count, 0, "planning a step");
    if (status == PROTEA_OK)
        status = protea_arena_new(&scratch_count, 0, "planning a step");
    if (status == PROTEA_OK) {
        cx->kept = kept_count;
        cx->scratch = scratch_count;
        cx->planning = true;
        status = body(cx, self);
        *kept = protea_arena_peak(kept_count);
        *scratch = protea_arena_peak(scratch_count);
    }
    cx->kept = own_kept;
    cx->scratch = own_scratch;
    cx->planning = was_planning;
    protea_arena_free(kept_count);
    protea_arena_free(scratch_count);
    return status;
}

/* An arena of 0 bytes would be a counting one. */
static size_t at_least_a_line(size_t bytes)
{
    return bytes > 0 ? bytes : 64;
}

protea_status protea_plan_arenas(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self, size_t *kept,
                                 size_t *scratch)
{
    size_t kept_bytes = 0, scratch_bytes = 0;
    PROTEA_TRY(count_step(cx, body, self, &kept_bytes, &scratch_bytes));
    if (kept != NULL)
        *kept = kept_bytes;
    if (scratch != NULL)
        *scratch = scratch_bytes;
    protea_arena_free(cx->kept);
    protea_arena_free(cx->scratch);
    cx->kept = cx->scratch = NULL;
    PROTEA_TRY(protea_arena_new(&cx->kept, at_least_a_line(kept_bytes), "the activations of a step"));
    return protea_arena_new(&cx->scratch, at_least_a_line(scratch_bytes), "the scratch memory of a step");
}

/* *arena is replaced when it is smaller than bytes. */
static protea_status at_least(protea_arena **arena, size_t bytes, const char *purpose)
{
    if (*arena != NULL && protea_arena_size(*arena) >= bytes)
        return PROTEA_OK;
    protea_arena_free(*arena);
    *arena = NULL;
    return protea_arena_new(arena, at_least_a_line(bytes), purpose);
}

protea_status protea_reserve_arenas(protea_ctx *cx, protea_status (*body)(protea_ctx *cx, void *self), void *self, size_t *kept,
                                    size_t *scratch)
{
    PROTEA_TRY(count_step(cx, body, self, kept, scratch));
    PROTEA_TRY(at_least(&cx->kept, *kept, "the activations of a step"));
    return at_least(&cx->scratch, *scratch, "the scratch memory of a step");
}
