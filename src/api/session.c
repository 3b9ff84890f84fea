/* The context a run needs, from options that every verb shares. */
#include "api/verb.h"
#include "base/parallel.h"
#include "comm/comm.h"

#include <stddef.h>
#include <sys/resource.h>

#define FIELD(name) offsetof(protea_session_opts, name)
const protea_opt protea_session_table[] = {
    { .key = "seed", .type = PROTEA_OPT_INT, .offset = FIELD(seed), .def = "31", .min = 0, .max = 9e15,
      .help = "equal seeds give equal runs", .source = "SwAV's code" },
    { .key = "threads", .type = PROTEA_OPT_INT, .offset = FIELD(threads), .def = "0", .min = 0, .max = 1024,
      .unit = "threads", .help = "compute threads; 0: one per processor", .flags = PROTEA_OPT_WARN_CHANGE },
    { .key = "precision", .type = PROTEA_OPT_CHOICE, .offset = FIELD(precision), .def = "auto", .choices = "auto|f32|bf16|fast",
      .help = "of activations and products; fast: bf16, convolutions rounded with three bits less; auto: what the "
              "processor gains by, fast only in training" },
    { .key = "isa", .type = PROTEA_OPT_CHOICE, .offset = FIELD(isa), .def = "auto", .choices = "auto|ref|sse2|avx2|avx512",
      .help = "the most that kernels may use; ref: plain reference kernels",
      .flags = PROTEA_OPT_WARN_CHANGE | PROTEA_OPT_HIDDEN },
    { 0 },
};

enum { PRECISION_AUTO, PRECISION_F32, PRECISION_BF16, PRECISION_FAST };

/* Choice i of --isa is protea_isa i - 1. */
static protea_isa isa_of(int32_t choice)
{
    return (protea_isa)(choice - 1);
}

/* What auto means. Training may round more coarsely: the noise is far below a batch's, and after long runs kNN is as good
 * (docs/results.md). It also gains by maps of half the size where bf16 is not multiplied faster than f32. */
static int32_t settle_auto(const protea_backend *be, bool trains)
{
    if (trains && be->has_fast)
        return PRECISION_FAST;
    return be->bf16_pays || (trains && be->bf16_multiplies) ? PRECISION_BF16 : PRECISION_F32;
}

static protea_status choose_precision(protea_session *s, const protea_session_opts *opts)
{
    static const char *const names[] = { "auto", "f32", "bf16", "fast" };
    int32_t choice = opts->precision == PRECISION_AUTO ? settle_auto(s->cx.be, opts->trains) : opts->precision;
    if (choice >= PRECISION_BF16 && !s->cx.be->bf16_multiplies)
        return protea_fail(PROTEA_ERR_USAGE, "--precision %s: this processor (%s) does not multiply bf16, auto or f32 wanted",
                           names[choice], s->cx.be->isa);
    s->cx.compute = choice == PRECISION_F32 ? PROTEA_F32 : PROTEA_BF16;
    s->cx.be->winograd = choice == PRECISION_FAST ? PROTEA_WINOGRAD_FAST : PROTEA_WINOGRAD_CLOSE;
    s->precision = names[choice];
    return PROTEA_OK;
}

protea_status protea_session_open(protea_session *s, const protea_session_opts *opts, const protea_hooks *hooks)
{
    *s = (protea_session){ 0 };
    s->cx.log = hooks->log;
    s->cx.log_cookie = hooks->cookie;
    s->cx.seed = (uint64_t)opts->seed;
    s->cx.threads = opts->threads > 0 ? (int)opts->threads : protea_cpu_count();
    PROTEA_TRY(protea_start_threads(s->cx.threads));
    PROTEA_TRY(protea_backend_cpu_open(&s->cx.be, isa_of(opts->isa)));
    PROTEA_TRY(protea_comm_self(&s->cx.comm));
    PROTEA_TRY(choose_precision(s, opts));
    protea_log(&s->cx, PROTEA_LOG_INFO, "%s, %d thread%s, %s", s->cx.be->isa, s->cx.threads, s->cx.threads == 1 ? "" : "s",
               s->precision);
    return PROTEA_OK;
}

void protea_session_close(protea_session *s)
{
    protea_comm_free(s->cx.comm);
    protea_backend_close(s->cx.be);
    protea_arena_free(s->cx.kept);
    protea_arena_free(s->cx.scratch);
    *s = (protea_session){ 0 };
}

size_t protea_peak_memory(void)
{
    struct rusage usage = { 0 };
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024;
}
