/* `protea bench NAME`: how fast the hot paths are on this machine, beside PyTorch where asked. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/bench.h"
#include "api/bench_list.h"

typedef struct bench_opts {
    protea_session_opts session;
    int64_t steps;
    int32_t peer;
} bench_opts;

static const protea_opt table[] = {
    { .key = "steps", .type = PROTEA_OPT_INT, .offset = offsetof(bench_opts, steps), .def = "5", .min = 1, .max = 1000,
      .unit = "steps", .help = "that are timed, after one that is not; the median counts" },
    { .key = "peer", .type = PROTEA_OPT_BOOL, .offset = offsetof(bench_opts, peer), .def = "false",
      .help = "time PyTorch's best setting in turns with it (/usr/bin/python3 with torch and torchvision, and the sources)" },
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

/* One run of bench/peer_NAME.py, at PyTorch's best: bf16 (or f32), channels last, a malloc that keeps its memory. */
static protea_status run_peer(double *seconds, const protea_session *s, const char *kind)
{
    char name[32], command[4096], line[128] = "";
    snprintf(name, sizeof name, "%s", kind);
    for (char *c = name; *c != 0; c++)
        *c = *c == '-' ? '_' : *c;
    snprintf(command, sizeof command,
             "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:"
             "glibc.malloc.hugetlb=1 /usr/bin/python3 '%s/peer_%s.py' --dtype %s --layout nhwc --threads %d --steps 3",
             PROTEA_PEERS, name, s->precision, s->cx.threads);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "--peer: %m");
    bool said = fgets(line, sizeof line, pipe) != NULL && sscanf(line, "seconds_per_step %lf", seconds) == 1;
    if (pclose(pipe) != 0 || !said)
        return protea_fail(PROTEA_ERR_INPUT, "--peer: %s/peer_%s.py gave no time; it wants /usr/bin/python3 with torch and "
                           "torchvision", PROTEA_PEERS, name);
    return PROTEA_OK;
}

/* In turns, so that a change of the machine's speed meets both alike; the faster of each one's turns counts. */
static protea_status run_turns(protea_bench_result *r, double *peer, const protea_bench *b, const protea_bench_ops *ops,
                               bool with_peer)
{
    enum { TURNS = 2 };
    PROTEA_TRY(ops->step(r, b));
    for (int i = 0; i < TURNS && with_peer; i++) {
        protea_bench_result again;
        double seconds;
        PROTEA_TRY(run_peer(&seconds, b->session, ops->name));
        PROTEA_TRY(ops->step(&again, b));
        *peer = i == 0 || seconds < *peer ? seconds : *peer;
        r->seconds = again.seconds < r->seconds ? again.seconds : r->seconds;
    }
    return PROTEA_OK;
}

static protea_status report_step(const protea_bench *b, const protea_call *call, const protea_bench_ops *ops, bool with_peer)
{
    const protea_ctx *cx = &b->session->cx;
    protea_bench_result r = { 0 };
    double peer = 0, mib = 1 << 20;
    char rate_key[64];
    PROTEA_TRY(run_turns(&r, &peer, b, ops, with_peer));
    double memory = (double)(r.kept + r.scratch) / mib, rate = (double)r.count / r.seconds;
    snprintf(rate_key, sizeof rate_key, "%s_per_second", r.unit);
    protea_log(cx, PROTEA_LOG_INFO, "%s: %.4g s a step, %.1f %s/s; step memory %.0f MiB, process at most %.0f MiB", ops->name,
               r.seconds, rate, r.unit, memory, (double)protea_peak_memory() / mib);
    json_object_set_new(call->result, "seconds_per_step", json_real(r.seconds));
    json_object_set_new(call->result, rate_key, json_real(rate));
    json_object_set_new(call->result, "step_memory_mib", json_real(memory));
    json_object_set_new(call->result, "rss_mib", json_real((double)protea_peak_memory() / mib));
    if (with_peer) {
        protea_log(cx, PROTEA_LOG_INFO, "its peer at its best: %.4g s a step; Protea is %.2f times as fast", peer,
                   peer / r.seconds);
        json_object_set_new(call->result, "peer_seconds_per_step", json_real(peer));
        json_object_set_new(call->result, "times_peer", json_real(peer / r.seconds));
    }
    return PROTEA_OK;
}

static protea_status measure(const bench_opts *o, const protea_call *call, protea_session *session)
{
    const protea_bench_ops *ops = find(call->kind != NULL ? call->kind : DEFAULT_KIND);
    protea_bench b = { session, call->hooks, o->steps };
    if (o->peer && !ops->has_peer)
        return protea_fail(PROTEA_ERR_USAGE, "--peer: %s has no peer to be timed beside", ops->name);
    json_object_set_new(call->result, "name", json_string(ops->name));
    json_object_set_new(call->result, "precision", json_string(session->precision));
    json_object_set_new(call->result, "settings",
                        json_pack("{s:s s:i}", "isa", session->cx.be->isa, "threads", session->cx.threads));
    json_object_set_new(call->result, "steps", json_integer(o->steps));
    return ops->step != NULL ? report_step(&b, call, ops, o->peer) : ops->report(call->result, &b);
}

static protea_status run(void *self, const protea_call *call)
{
    const bench_opts *o = self;
    protea_session session;
    protea_status status = protea_session_open(&session, &o->session, call->hooks);
    if (status == PROTEA_OK)
        status = measure(o, call, &session);
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
