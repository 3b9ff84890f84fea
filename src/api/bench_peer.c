/* Timing a table beside its peer, a program in bench/. */
#include <stdio.h>

#include "api/bench.h"

enum { PEER_STEPS = 3 };

/* How a peer is run: at its best (channels last, our number of threads, a malloc that keeps its memory; in bf16 or in f32), or as
 * it comes from the package. */
typedef enum peer_setting { BEST_IN_F32, BEST_IN_BF16, AS_IT_COMES } peer_setting;
#define KEEPING_MALLOC \
    "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:glibc.malloc.hugetlb=1"

static protea_status run_own(double *seconds, int n, const protea_bench *b, protea_bench_row_fn time_row, void *self)
{
    for (int i = 0; i < n; i++)
        PROTEA_TRY(time_row(&seconds[i], b, i, self));
    return PROTEA_OK;
}

static bool read_times(double *seconds, int n, FILE *pipe)
{
    char line[128];
    for (int i = 0; i < n; i++)
        if (fgets(line, sizeof line, pipe) == NULL || sscanf(line, "seconds_per_step %lf", &seconds[i]) != 1)
            return false;
    return true;
}

/* bench/peer_NAME.py. */
static protea_status run_peer(double *seconds, int n, const protea_session *s, const char *name, const char *files,
                              peer_setting setting, int steps)
{
    bool best = setting != AS_IT_COMES;
    char file[32], command[4096];
    snprintf(file, sizeof file, "%s", name);
    for (char *c = file; *c != 0; c++)
        *c = *c == '-' ? '_' : *c;
    snprintf(command, sizeof command,
             "%s /usr/bin/python3 '%s/peer_%s.py' --dtype %s --layout %s --threads %d --steps %d --files '%s'",
             best ? KEEPING_MALLOC : "", PROTEA_PEERS, file, setting == BEST_IN_BF16 ? "bf16" : "f32", best ? "nhwc" : "nchw",
             best ? s->cx.threads : 0, steps, files != NULL ? files : "");
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "--peer: %m");
    bool said = read_times(seconds, n, pipe);
    if (pclose(pipe) != 0 || !said)
        return protea_fail(PROTEA_ERR_INPUT, "--peer: %s/peer_%s.py gave no time; it wants /usr/bin/python3 with torch and "
                           "torchvision", PROTEA_PEERS, file);
    return PROTEA_OK;
}

/* Times (pairs,n) of rows. */
typedef struct turns {
    int64_t pairs;
    int n;
    double *own, *best, *plain;
    double *column;             /* (pairs): of one row */
} turns;

/* Who may round may also not: the faster of bf16 and f32, which is not bf16 on every processor. */
static protea_status find_best(peer_setting *best, turns *t, const protea_bench *b, const char *name, const char *files)
{
    double total[] = { 0, 0 };
    *best = BEST_IN_F32;
    if (b->session->cx.compute == PROTEA_F32)
        return PROTEA_OK;
    for (int setting = BEST_IN_F32; setting <= BEST_IN_BF16; setting++) {
        PROTEA_TRY(run_peer(t->best, t->n, b->session, name, files, (peer_setting)setting, 1));
        for (int i = 0; i < t->n; i++)
            total[setting] += t->best[i];
    }
    *best = total[BEST_IN_BF16] < total[BEST_IN_F32] ? BEST_IN_BF16 : BEST_IN_F32;
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "its peer takes %.4g s in f32, %.4g s in bf16: %s is timed", total[BEST_IN_F32],
               total[BEST_IN_BF16], *best == BEST_IN_BF16 ? "bf16" : "f32");
    return PROTEA_OK;
}

static protea_status run_turns(turns *t, const protea_bench *b, const char *name, const char *files, protea_bench_row_fn time_row,
                               void *self)
{
    peer_setting best = BEST_IN_F32;
    if (b->peer)
        PROTEA_TRY(find_best(&best, t, b, name, files));
    for (int64_t pair = 0; pair < t->pairs; pair++) {
        int64_t at = pair * t->n;
        PROTEA_TRY(run_own(t->own + at, t->n, b, time_row, self));
        if (b->peer)
            PROTEA_TRY(run_peer(t->best + at, t->n, b->session, name, files, best, PEER_STEPS));
        if (b->plain_peer)
            PROTEA_TRY(run_peer(t->plain + at, t->n, b->session, name, files, AS_IT_COMES, 1));
    }
    return PROTEA_OK;
}

static double median_of(const turns *t, const double *times, int row)
{
    for (int64_t pair = 0; pair < t->pairs; pair++)
        t->column[pair] = times[pair * t->n + row];
    return protea_bench_median(t->column, t->pairs);
}

static protea_bench_beside settle_peer(const turns *t, const double *peer, int row)
{
    protea_bench_beside out = { .seconds = median_of(t, peer, row) };
    for (int64_t pair = 0; pair < t->pairs; pair++)
        t->column[pair] = peer[pair * t->n + row] / t->own[pair * t->n + row];
    out.times = protea_bench_median(t->column, t->pairs); /* sorted by it */
    out.least = t->column[0];
    out.most = t->column[t->pairs - 1];
    return out;
}

protea_status protea_bench_turns(protea_bench_row *rows, int n, const protea_bench *b, const char *name, const char *files,
                                 protea_bench_row_fn time_row, void *self)
{
    turns t = { .pairs = b->peer ? b->pairs : 1, .n = n };
    int64_t count = t.pairs * n;
    PROTEA_TRY(protea_new(&t.own, (size_t)(3 * count + t.pairs), sizeof *t.own, "times of turns"));
    t.best = t.own + count;
    t.plain = t.best + count;
    t.column = t.plain + count;
    protea_status status = run_turns(&t, b, name, files, time_row, self);
    for (int i = 0; i < n && status == PROTEA_OK; i++) {
        rows[i].seconds = median_of(&t, t.own, i);
        if (b->peer)
            rows[i].best = settle_peer(&t, t.best, i);
        if (b->plain_peer)
            rows[i].plain = settle_peer(&t, t.plain, i);
    }
    protea_free(t.own);
    return status;
}

/* prefix: of the keys. */
static void report_beside(json_t *result, const protea_bench *b, const char *prefix, const char *who,
                          const protea_bench_beside *beside)
{
    char key[64], range[64] = "";
    if (beside->least > 0)
        snprintf(range, sizeof range, " (%.2f to %.2f in %lld pair%s)", beside->least, beside->most, (long long)b->pairs,
                 b->pairs == 1 ? "" : "s");
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "its peer %s: %.4g s a step; Protea is %.2f times as fast%s", who,
               beside->seconds, beside->times, range);
    snprintf(key, sizeof key, "%s_seconds_per_step", prefix);
    json_object_set_new(result, key, json_real(beside->seconds));
    snprintf(key, sizeof key, "times_%s", prefix);
    json_object_set_new(result, key, json_real(beside->times));
    if (beside->least > 0) {
        snprintf(key, sizeof key, "times_%s_range", prefix);
        json_object_set_new(result, key, json_pack("[f, f]", beside->least, beside->most));
    }
}

void protea_bench_report_peer(json_t *result, const protea_bench *b, const protea_bench_row *row)
{
    if (b->peer)
        report_beside(result, b, "peer", "at its best", &row->best);
    if (b->plain_peer)
        report_beside(result, b, "plain_peer", "as it comes", &row->plain);
}

protea_status protea_bench_report_rate(json_t *list, const protea_bench *b, const char *name, const char *unit, int64_t count,
                                       const protea_bench_row *row)
{
    char key[64], peer[64] = "";
    double rate = (double)count / row->seconds;
    snprintf(key, sizeof key, "%s_per_second", unit);
    json_t *entry = json_pack("{s:s s:f s:f}", "name", name, "seconds", row->seconds, key, rate);
    if (json_array_append_new(list, entry) != 0)
        return protea_fail(PROTEA_ERR_MEMORY, "the list of rates: no memory");
    if (b->peer) {
        snprintf(peer, sizeof peer, ", peer %.0f: %.1f times as fast", (double)count / row->best.seconds, row->best.times);
        json_object_set_new(entry, "peer_seconds", json_real(row->best.seconds));
        json_object_set_new(entry, "times_peer", json_real(row->best.times));
    }
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "%-22s %9.0f %s/s a core%s", name, rate, unit, peer);
    return PROTEA_OK;
}
