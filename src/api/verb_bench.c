/* `protea bench NAME`: how fast the hot paths are on this machine, beside PyTorch where asked. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/bench.h"
#include "api/bench_list.h"
#include "backend/cpu/cpu.h"

typedef struct bench_opts {
    protea_session_opts session;
    int64_t steps, pairs;
    int32_t peer, plain_peer;
} bench_opts;

static const protea_opt table[] = {
    { .key = "steps", .type = PROTEA_OPT_INT, .offset = offsetof(bench_opts, steps), .def = "5", .min = 1, .max = 1000,
      .unit = "steps", .help = "that are timed, after one that is not; the median counts" },
    { .key = "peer", .type = PROTEA_OPT_BOOL, .offset = offsetof(bench_opts, peer), .def = "false",
      .help = "time its peer in turns with it: PyTorch at its best, faiss, scikit-learn or Pillow (Debian's, and the sources)" },
    { .key = "plain_peer", .type = PROTEA_OPT_BOOL, .offset = offsetof(bench_opts, plain_peer), .def = "false",
      .help = "time its peer as it comes, too: f32, its own layout, threads and malloc" },
    { .key = "pairs", .type = PROTEA_OPT_INT, .offset = offsetof(bench_opts, pairs), .def = "5", .min = 1, .max = 100,
      .unit = "pairs", .help = "of Protea and its peer, in turns; the median of their ratios counts" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    bench_opts *o = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Measuring", table, o));
    return protea_options_add(options, "Session", protea_session_table, &o->session);
}

#define DECLARE(name, word) extern const protea_bench_ops protea_bench_##name;
PROTEA_BENCH_LIST(DECLARE)
#define TABLE(name, word) &protea_bench_##name,
static const protea_bench_ops *const tables[] = { PROTEA_BENCH_LIST(TABLE) };
#define WORD(name, word) word,
static const char *const kinds[] = { PROTEA_BENCH_LIST(WORD) NULL };

/* kind: one of kinds. */
static const protea_bench_ops *find(const char *kind)
{
    size_t i = 0;
    while (strcmp(kinds[i], kind) != 0)
        i++;
    return tables[i];
}

static const char *kind_summary(const char *kind)
{
    return find(kind)->summary;
}

/* What is measured when no name is given. */
static const char *const DEFAULT_KIND = "swav-step";

/* A bench of one step as a table of one row. */
typedef struct one_step {
    const protea_bench_ops *ops;
    protea_bench_result result;
    double fastest;             /* step of all turns, in seconds */
} one_step;

static protea_status time_step(double *seconds, const protea_bench *b, int row, void *self)
{
    one_step *s = self;
    (void)row;
    s->result = (protea_bench_result){ 0 };
    PROTEA_TRY(s->ops->step(&s->result, b));
    s->fastest = s->fastest == 0 || b->spread->fastest < s->fastest ? b->spread->fastest : s->fastest;
    *seconds = s->result.seconds;
    return PROTEA_OK;
}

static void report_flops(json_t *result, const protea_bench *b, double gflops)
{
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "its products: %.0f GFLOP/s of a peak of %.0f: %.2f of it", gflops, b->peak,
               gflops / b->peak);
    json_object_set_new(result, "gflops", json_real(gflops));
    json_object_set_new(result, "share_of_peak", json_real(gflops / b->peak));
}

static protea_status report_step(json_t *result, const protea_bench *b, const protea_bench_ops *ops)
{
    one_step s = { .ops = ops };
    protea_bench_row row = { 0 };
    double mib = 1 << 20;
    char rate_key[64];
    PROTEA_TRY(protea_bench_turns(&row, 1, b, ops->name, NULL, time_step, &s));
    const protea_bench_result *r = &s.result;
    double memory = (double)(r->kept + r->scratch) / mib, rate = (double)r->count / row.seconds;
    snprintf(rate_key, sizeof rate_key, "%s_per_second", r->unit);
    protea_log(&b->session->cx, PROTEA_LOG_INFO,
               "%s: %.4g s a step (fastest %.4g), %.1f %s/s; step memory %.0f MiB, process at most %.0f MiB", ops->name,
               row.seconds, s.fastest, rate, r->unit, memory, (double)protea_peak_memory() / mib);
    json_object_set_new(result, "seconds_per_step", json_real(row.seconds));
    json_object_set_new(result, "fastest_step_seconds", json_real(s.fastest));
    json_object_set_new(result, rate_key, json_real(rate));
    json_object_set_new(result, "step_memory_mib", json_real(memory));
    json_object_set_new(result, "rss_mib", json_real((double)protea_peak_memory() / mib));
    if (r->flops > 0)
        report_flops(result, b, r->flops / row.seconds / 1e9);
    protea_bench_report_peer(result, b, &row);
    return PROTEA_OK;
}

/* How far the figures can be trusted. */
static void report_spread(json_t *result, const protea_bench *b)
{
    const protea_bench_spread *s = b->spread;
    double mean = s->n > 0 ? s->sum / s->n : 0;
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "noise: steps differ by %.1f %% (median absolute deviation), at most %.1f %%",
               100 * mean, 100 * s->worst);
    json_object_set_new(result, "noise", json_real(mean));
    json_object_set_new(result, "noise_worst", json_real(s->worst));
}

static protea_status measure(const bench_opts *o, const protea_call *call, const protea_bench_ops *ops, protea_session *session)
{
    protea_bench_spread spread = { 0 };
    protea_bench b = { .session = session, .hooks = call->hooks, .steps = o->steps, .pairs = o->pairs,
                       .peer = o->peer || o->plain_peer, .plain_peer = o->plain_peer, .clock = protea_seconds, .spread = &spread };
    if (b.peer && !ops->has_peer)
        return protea_fail(PROTEA_ERR_USAGE, "--peer: %s has no peer to be timed beside", ops->name);
    json_object_set_new(call->result, "name", json_string(ops->name));
    json_object_set_new(call->result, "precision", json_string(session->precision));
    json_object_set_new(call->result, "settings",
                        json_pack("{s:s s:i}", "isa", session->cx.be->isa, "threads", session->cx.threads));
    json_object_set_new(call->result, "steps", json_integer(o->steps));
    b.peak = protea_cpu_peak(session->cx.be, session->cx.compute);
    json_object_set_new(call->result, "peak_gflops", json_real(b.peak));
    PROTEA_TRY(ops->step != NULL ? report_step(call->result, &b, ops) : ops->report(call->result, &b));
    report_spread(call->result, &b);
    return PROTEA_OK;
}

static protea_status run(void *self, const protea_call *call)
{
    const bench_opts *o = self;
    const protea_bench_ops *ops = find(call->kind != NULL ? call->kind : DEFAULT_KIND);
    protea_session_opts opts = o->session;
    protea_session session;
    opts.trains = strstr(ops->name, "-step") != NULL;
    protea_status status = protea_session_open(&session, &opts, call->hooks);
    if (status == PROTEA_OK)
        status = measure(o, call, ops, &session);
    protea_session_close(&session);
    return status;
}

const protea_verb protea_verb_bench = {
    .info = { .name = "bench", .arguments = "", .summary = "how fast the hot paths are on this machine", .kinds = kinds,
              .kinds_title = "NAME", .kind_summary = kind_summary, .kind_optional = 1, .example = "protea bench swav-step --peer" },
    .size = sizeof(bench_opts),
    .options = add_options,
    .run = run,
};
