/* Each rule looks at the last quarter of a curve, or at the settings, and adds what it finds. The limits are those of the methods'
 * own health checks (method.h, sick) where they have one. */
#include "report/doctor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct patient {
    protea_findings *f;
    const protea_run_record *run;
    int64_t doubles, n_prototypes;
} patient;

static void add(const patient *p, const char *what, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add(const patient *p, const char *what, const char *remedy, const char *format, ...)
{
    if (p->f->n == PROTEA_FINDINGS_MAX)
        return;
    protea_finding *finding = &p->f->item[p->f->n++];
    finding->what = what;
    finding->remedy = remedy;
    va_list rest;
    va_start(rest, format);
    vsnprintf(finding->why, sizeof finding->why, format, rest);
    va_end(rest);
}

/* ---- what is read */

/* NaN where the run does not know it; of a list the first. */
static double setting(const patient *p, const char *key)
{
    const char *text = protea_run_setting(p->run, key);
    char *end;
    double value = strtod(text, &end);
    return end == text ? NAN : value;
}

/* A length in epochs, which may be a share of the run, "15%": of the epochs asked for, or of those that fitted into its time. */
static double epochs_of(const patient *p, const char *key)
{
    double value = setting(p, key), whole = setting(p, "max_minutes") > 0 ? p->run->epochs : setting(p, "epochs");
    return strchr(protea_run_setting(p->run, key), '%') != NULL ? value / 100 * whole : value;
}

/* Clusters that are asked for: prototypes, or PCL's first number. */
static double clusters_of(const patient *p)
{
    double k = setting(p, "nmb_prototypes");
    return isfinite(k) ? k : setting(p, "num_cluster");
}

static bool is_method(const patient *p, const char *name)
{
    return strcmp(protea_run_setting(p->run, "kind"), name) == 0;
}

/* Mean of the finite values from the share `from` to the share `to` of a curve's points; NaN where there are none. */
static double mean_of(const protea_curve *curve, double from, double to)
{
    double sum = 0;
    int64_t n = 0, first = curve == NULL ? 0 : (int64_t)(from * (double)curve->n);
    for (int64_t i = first; curve != NULL && i < curve->n && (double)i < to * (double)curve->n; i++)
        if (isfinite(curve->y[i])) {
            sum += curve->y[i];
            n++;
        }
    return n > 0 ? sum / (double)n : NAN;
}

static double last_quarter(const patient *p, const char *name)
{
    return mean_of(protea_run_curve(p->run, name), 0.75, 1);
}

/* Images of an epoch; NaN before the first has ended. */
static double images(const patient *p)
{
    return p->run->epochs >= 1 ? (double)p->run->steps / p->run->epochs * setting(p, "batch_size") : NAN;
}

/* ---- rules */

static void look_for_collapse(const patient *p)
{
    double std = last_quarter(p, "embedding_std"), limit = is_method(p, "simsiam") ? 0.1 : 0.05;
    if (std < limit)
        add(p, "collapsed: all images look alike to the network",
            "a lower --lr, a longer --warmup-epochs, softer crops (--min-scale-crops), a larger batch",
            "the embeddings' deviation is %.3f over the last quarter; 1 is healthy, below %g is a collapse", std, limit);
}

static void look_at_ln_k(const patient *p)
{
    double loss = last_quarter(p, "loss_over_ln_k");
    if (p->run->epochs <= 1 || !(loss > 0.99))
        return;
    if (is_method(p, "moco") || is_method(p, "pcl"))
        add(p, "the loss is stuck at its start: queries do not know their keys", "a higher --lr, more epochs, softer crops",
            "over the last quarter it is %.3f of ln(1 + queue), which is what chance gives", loss);
    else
        add(p, "the loss is stuck at ln K: every image goes to all prototypes alike",
            "a lower --epsilon (0.03), a longer --freeze-prototypes-niters, softer crops, another --lr",
            "over the last quarter it is %.3f of ln K, which is what chance gives", loss);
}

static void look_at_queue(const patient *p)
{
    const protea_curve *loss = protea_run_curve(p->run, "loss");
    double starts = epochs_of(p, "epoch_queue_starts"), before = INFINITY, after = INFINITY;
    if (!(setting(p, "queue_length") > 0) || loss == NULL || !p->run->in_epochs || p->run->epochs < starts + 2)
        return;
    for (int64_t i = 0; i < loss->n; i++) {
        double *least = loss->x[i] <= starts ? &before : &after;
        *least = loss->y[i] < *least ? loss->y[i] : *least;
    }
    if (isfinite(before) && after > 1.02 * before)
        add(p, "the queue came too early: the loss has not got back to where it was without it",
            "a later --epoch-queue-starts, or a shorter --queue-length",
            "the least loss was %.3f until epoch %g, where the queue starts, and %.3f since", before, starts, after);
}

static void look_at_prototypes(const patient *p)
{
    double used = last_quarter(p, "prototypes_used"), k = setting(p, "nmb_prototypes"), batch = setting(p, "batch_size");
    double room = fmin(k, batch), queue = setting(p, "queue_length"), largest = last_quarter(p, "largest_cluster");
    if (used < 0.5 * room)
        add(p, "prototypes go unused",
            "fewer --nmb-prototypes, more --sinkhorn-iterations, a larger --epsilon, a longer --queue-length",
            "a step of %g images uses %.0f of %g prototypes", batch, used, k);
    double clusters = last_quarter(p, "clusters_used");
    if (clusters > 0 && clusters < 0.5 * clusters_of(p))
        add(p, "clusters go unused", "fewer --nmb-prototypes (pcl: --num-cluster), a lower --lr, a longer --warmup-epochs",
            "%.0f of %g clusters have an image", clusters, clusters_of(p));
    if (is_method(p, "swav") && batch + (queue > 0 ? queue : 0) < k)
        add(p, "fewer images in a step than prototypes, so codes are blurred", "fewer --nmb-prototypes, or a longer --queue-length",
            "batch and queue hold %g images for %g prototypes", batch + (queue > 0 ? queue : 0), k);
    if (largest > 0.5)
        add(p, "most images are in one cluster", "a lower --lr, a longer warm-up, more clusters",
            "the largest cluster has %.0f %% of the images over the last quarter", 100 * largest);
    if (p->doubles > 0 && 10 * p->doubles > p->n_prototypes)
        add(p, "prototypes are doubles of others", "fewer --nmb-prototypes; `protea cluster --merge` joins them",
            "%lld of %lld have a cosine of 0.95 or more with another", (long long)p->doubles, (long long)p->n_prototypes);
}

static void look_at_data(const patient *p)
{
    double n = images(p), k = clusters_of(p), waiting = last_quarter(p, "wait_share");
    if (n / k < 10)
        add(p, "too few images for so many clusters", "fewer prototypes (ten for each class that is expected), or more images",
            "%.0f images an epoch for %g clusters are %.1f each; 10 and more make stable ones", n, k, n / k);
    if (waiting > 0.3)
        add(p, "training waits for images", "more --workers, smaller files, or images resized once beforehand",
            "%.0f %% of the time of the last quarter", 100 * waiting);
    if (p->run->n_skipped > 0)
        add(p, "images could not be used", "a look at skipped.tsv", "%lld of them; the first: %.200s (%.200s)",
            (long long)p->run->n_skipped, p->run->skipped[0], p->run->skipped[1]);
}

/* ---- the loss's course */

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { WINDOW = 8 };

/* Points well above the median of those before them. */
static int64_t count_spikes(const protea_curve *loss, double *where)
{
    int64_t spikes = 0;
    for (int64_t i = WINDOW; i < loss->n; i++) {
        double before[WINDOW];
        memcpy(before, loss->y + i - WINDOW, sizeof before);
        qsort(before, WINDOW, sizeof *before, rising);
        double median = (before[WINDOW / 2 - 1] + before[WINDOW / 2]) / 2;
        if (!(loss->y[i] - median > 0.15 * fabs(median)))
            continue;
        *where = spikes == 0 ? loss->x[i] : *where;
        spikes++;
    }
    return spikes;
}

static void look_at_loss(const patient *p)
{
    const protea_curve *loss = protea_run_curve(p->run, "loss");
    double where = 0, first = mean_of(loss, 0, 0.1), last = mean_of(loss, 0.9, 1), middle = mean_of(loss, 0.4, 0.6);
    if (loss == NULL || loss->n < 10)
        return;
    int64_t spikes = count_spikes(loss, &where);
    if (spikes > 0)
        add(p, "the loss has spikes",
            "a lower --lr, a longer --warmup-epochs, a larger batch; --precision f32 to rule out rounding",
            "%lld point%s more than 15 %% above the median of the %d before, the first at %s %.2f", (long long)spikes,
            spikes == 1 ? " is" : "s are", WINDOW, p->run->in_epochs ? "epoch" : "step", where);
    double room = 0.02 * fabs(first); /* SimSiam's loss is negative */
    if (last > middle + room)
        add(p, "the loss rises", "a lower --lr or --final-lr", "it is %.4f in the middle of the run and %.4f at its end", middle,
            last);
    else if (last > first - room)
        add(p, "the loss hardly falls: the learning rate may be wrong",
            "an --lr ten times higher, then ten times lower, for a short run", "it is %.4f at the start and %.4f at the end", first, last);
}

static void look_at_knn(const patient *p)
{
    const protea_curve *knn = protea_run_curve(p->run, "knn_top1");
    int64_t best = 0;
    for (int64_t i = 1; knn != NULL && i < knn->n; i++)
        best = knn->y[i] > knn->y[best] ? i : best;
    if (knn != NULL && knn->n > 2 && knn->y[best] - knn->y[knn->n - 1] > 0.02)
        add(p, "features got worse", "fewer --epochs, a lower --lr",
            "kNN was %.1f %% after epoch %g and is %.1f %%", 100 * knn->y[best], knn->x[best], 100 * knn->y[knn->n - 1]);
}

/* Whether the minutes that a run may take are what ended it; timing, evaluation and saving take some of them. */
static bool is_out_of_time(const patient *p)
{
    double minutes = setting(p, "max_minutes");
    return minutes > 0 && p->run->seconds > 60 * minutes / 2;
}

static void look_at_end(const patient *p)
{
    double wanted = setting(p, "epochs");
    if (p->run->steps == 0 && wanted > 0)
        add(p, "nothing was logged", "the last lines of train.log", "no step of %g epochs stands in metrics.jsonl", wanted);
    else if (p->run->in_epochs && p->run->epochs < wanted && !is_out_of_time(p))
        add(p, "the run has not ended", "the same command with --resume", "%g of %g epochs are done", floor(p->run->epochs),
            wanted);
    if (p->run->warning != NULL && p->f->n == 0)
        add(p, "the run gave a warning", "what it says", "%.600s", p->run->warning);
}

void protea_doctor_examine(protea_findings *f, const protea_run_record *record, int64_t doubles, int64_t n_prototypes)
{
    const patient p = { f, record, doubles, n_prototypes };
    f->n = 0;
    look_for_collapse(&p);
    look_at_ln_k(&p);
    look_at_loss(&p);
    look_at_knn(&p);
    look_at_queue(&p);
    look_at_prototypes(&p);
    look_at_data(&p);
    look_at_end(&p);
}
