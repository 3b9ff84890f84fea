/* Timing a table beside its peer, a program in bench/. */
#include <stdio.h>

#include "api/bench.h"

enum { TURNS = 2, PEER_STEPS = 3 };

static void keep_faster(double *best, double seconds)
{
    *best = *best == 0 || seconds < *best ? seconds : *best;
}

static protea_status run_own(protea_bench_row *rows, int n, const protea_bench *b, protea_bench_row_fn time_row, void *self)
{
    for (int i = 0; i < n; i++) {
        double seconds;
        PROTEA_TRY(time_row(&seconds, b, i, self));
        keep_faster(&rows[i].seconds, seconds);
    }
    return PROTEA_OK;
}

static bool read_times(protea_bench_row *rows, int n, FILE *pipe)
{
    char line[128];
    double seconds;
    for (int i = 0; i < n; i++) {
        if (fgets(line, sizeof line, pipe) == NULL || sscanf(line, "seconds_per_step %lf", &seconds) != 1)
            return false;
        keep_faster(&rows[i].peer, seconds);
    }
    return true;
}

/* bench/peer_NAME.py, at PyTorch's best: bf16 (or f32), channels last, a malloc that keeps its memory. */
static protea_status run_peer(protea_bench_row *rows, int n, const protea_session *s, const char *name, const char *files)
{
    char file[32], command[4096];
    snprintf(file, sizeof file, "%s", name);
    for (char *c = file; *c != 0; c++)
        *c = *c == '-' ? '_' : *c;
    snprintf(command, sizeof command,
             "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:"
             "glibc.malloc.hugetlb=1 /usr/bin/python3 '%s/peer_%s.py' --dtype %s --layout nhwc --threads %d --steps %d --files '%s'",
             PROTEA_PEERS, file, s->cx.compute == PROTEA_BF16 ? "bf16" : "f32", s->cx.threads, PEER_STEPS,
             files != NULL ? files : "");
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return protea_fail(PROTEA_ERR_INTERNAL, "--peer: %m");
    bool said = read_times(rows, n, pipe);
    if (pclose(pipe) != 0 || !said)
        return protea_fail(PROTEA_ERR_INPUT, "--peer: %s/peer_%s.py gave no time; it wants /usr/bin/python3 with torch and "
                           "torchvision", PROTEA_PEERS, file);
    return PROTEA_OK;
}

protea_status protea_bench_turns(protea_bench_row *rows, int n, const protea_bench *b, const char *name, const char *files,
                                 protea_bench_row_fn time_row, void *self)
{
    PROTEA_TRY(run_own(rows, n, b, time_row, self));
    for (int i = 0; i < TURNS && b->peer; i++) {
        PROTEA_TRY(run_peer(rows, n, b->session, name, files));
        PROTEA_TRY(run_own(rows, n, b, time_row, self));
    }
    return PROTEA_OK;
}

void protea_bench_report_peer(json_t *result, const protea_bench *b, double seconds, double peer)
{
    if (!b->peer)
        return;
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "its peer at its best: %.4g s a step; Protea is %.2f times as fast", peer,
               peer / seconds);
    json_object_set_new(result, "peer_seconds_per_step", json_real(peer));
    json_object_set_new(result, "times_peer", json_real(peer / seconds));
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
        double theirs = (double)count / row->peer;
        snprintf(peer, sizeof peer, ", peer %.0f: %.1f times as fast", theirs, rate / theirs);
        json_object_set_new(entry, "peer_seconds", json_real(row->peer));
        json_object_set_new(entry, "times_peer", json_real(rate / theirs));
    }
    protea_log(&b->session->cx, PROTEA_LOG_INFO, "%-22s %9.0f %s/s a core%s", name, rate, unit, peer);
    return PROTEA_OK;
}
