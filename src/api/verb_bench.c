/* `protea bench NAME`: how fast the hot paths are on this machine, beside PyTorch where asked. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "api/bench.h"

typedef struct bench_opts {
    protea_session_opts session;
    int64_t steps;
    int32_t peer;
} bench_opts;

static const protea_opt table[] = {
    { .key = "steps", .type = PROTEA_OPT_INT, .offset = offsetof(bench_opts, steps), .def = "5", .min = 1, .max = 1000,
      .unit = "steps", .help = "that are timed, after one that is not; the median counts" },
    { .key = "peer", .type = PROTEA_OPT_BOOL, .offset = offsetof(bench_opts, peer), .def = "false",
      .help = "time PyTorch's best setting in turns with it (/usr/bin/python3 with torch, and bench/ of the sources here)" },
    { 0 },
};

static protea_status add_options(void *self, const char *kind, protea_options *options)
{
    bench_opts *o = self;
    (void)kind;
    PROTEA_TRY(protea_options_add(options, "Measuring", table, o));
    return protea_options_add(options, "Session", protea_session_table, &o->session);
}

static const char *const kinds[] = { "conv", "resnet18-step", "resnet50-step", "swav-step", NULL };
static const char *const summaries[] = {
    "every convolution of a ResNet-18 step, pass by pass", "ResNet-18, 512 views of 32 pixels: forward, backward, SGD",
    "ResNet-50, 16 views of 224 pixels: forward, backward, SGD",
    "SwAV with ResNet-18, 256 images in 2 crops of 32 and 4 of 20 pixels: the whole step",
};
static const char *kind_summary(const char *kind)
{
    size_t i = 0;
    while (strcmp(kinds[i], kind) != 0)
        i++;
    return summaries[i];
}

/* What is measured when no name is given. */
static const char *const DEFAULT_KIND = "swav-step";

static protea_status run_step(protea_bench_result *r, const protea_bench *b, const char *kind)
{
    static const protea_bench_net resnet18 = { "resnet18", true, 512, 32 }, resnet50 = { "resnet50", false, 16, 224 };
    if (strcmp(kind, "swav-step") == 0)
        return protea_bench_swav(r, b);
    return protea_bench_resnet(r, b, strcmp(kind, "resnet18-step") == 0 ? &resnet18 : &resnet50);
}

static double peak_rss_mib(void)
{
    struct rusage usage = { 0 };
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* One run of bench/peer_NAME.py, at PyTorch's best: bf16 (or f32), channels last, a malloc that keeps its memory. */
static protea_status run_peer(double *seconds, const protea_session *s, const char *kind)
{
    char name[32], command[512], line[128] = "";
    snprintf(name, sizeof name, "%s", kind);
    *strchr(name, '-') = '_';
    snprintf(command, sizeof command,
             "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:"
             "glibc.malloc.hugetlb=1 /usr/bin/python3 bench/peer_%s.py --dtype %s --layout nhwc --threads %d --steps 3",
             name, s->precision, s->cx.threads);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "--peer: %m");
    bool said = fgets(line, sizeof line, pipe) != NULL && sscanf(line, "seconds_per_step %lf", seconds) == 1;
    if (pclose(pipe) != 0 || !said)
        return protea_fail(PROTEA_ERR_INPUT, "--peer: bench/peer_%s.py gave no time; it wants /usr/bin/python3 with torch and "
                           "torchvision, and to be called from the source folder", name);
    return PROTEA_OK;
}

/* In turns, so that a change of the machine's speed meets both alike; the faster of each one's turns counts. */
static protea_status run_turns(protea_bench_result *r, double *peer, const protea_bench *b, const char *kind, bool with_peer)
{
    enum { TURNS = 2 };
    PROTEA_TRY(run_step(r, b, kind));
    for (int i = 0; i < TURNS && with_peer; i++) {
        protea_bench_result again;
        double seconds;
        PROTEA_TRY(run_peer(&seconds, b->session, kind));
        PROTEA_TRY(run_step(&again, b, kind));
        *peer = i == 0 || seconds < *peer ? seconds : *peer;
        r->seconds = again.seconds < r->seconds ? again.seconds : r->seconds;
    }
    return PROTEA_OK;
}

static protea_status report_step(const protea_bench *b, const protea_call *call, const char *kind, bool with_peer)
{
    const protea_ctx *cx = &b->session->cx;
    protea_bench_result r = { 0 };
    double peer = 0, mib = 1 << 20;
    PROTEA_TRY(run_turns(&r, &peer, b, kind, with_peer));
    double memory = (double)(r.kept + r.scratch) / mib, rate = (double)r.views / r.seconds;
    protea_log(cx, PROTEA_LOG_INFO, "%s: %.3f s a step, %.1f views/s; step memory %.0f MiB, process at most %.0f MiB", kind,
               r.seconds, rate, memory, peak_rss_mib());
    json_object_set_new(call->result, "seconds_per_step", json_real(r.seconds));
    json_object_set_new(call->result, "views_per_second", json_real(rate));
    json_object_set_new(call->result, "step_memory_mib", json_real(memory));
    json_object_set_new(call->result, "rss_mib", json_real(peak_rss_mib()));
    if (with_peer) {
        protea_log(cx, PROTEA_LOG_INFO, "PyTorch at its best: %.3f s a step; Protea is %.2f times as fast", peer,
                   peer / r.seconds);
        json_object_set_new(call->result, "peer_seconds_per_step", json_real(peer));
        json_object_set_new(call->result, "times_peer", json_real(peer / r.seconds));
    }
    return PROTEA_OK;
}

static protea_status measure(const bench_opts *o, const protea_call *call, protea_session *session)
{
    const char *kind = call->kind != NULL ? call->kind : DEFAULT_KIND;
    protea_bench b = { session, call->hooks, o->steps };
    json_object_set_new(call->result, "name", json_string(kind));
    json_object_set_new(call->result, "precision", json_string(session->precision));
    json_object_set_new(call->result, "settings",
                        json_pack("{s:s s:i}", "isa", session->cx.be->isa, "threads", session->cx.threads));
    json_object_set_new(call->result, "steps", json_integer(o->steps));
    if (strcmp(kind, "conv") != 0)
        return report_step(&b, call, kind, o->peer && strcmp(kind, "resnet50-step") != 0);
    return protea_bench_conv(call->result, &b);
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
