/* What a data set is: its classes, and the statistics of its pixels. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/inspect.h"
#include "base/alloc.h"
#include "base/parallel.h"
#include "data/source.h"

/* Sums of whole numbers, so that their order does not matter. */
typedef struct pixel_sums {
    uint64_t pixels, sum[3], square[3];
    int64_t images, bad;
    int min_w, min_h, max_w, max_h;
    protea_status status;   /* not PROTEA_OK: what ended it, which is no fault of an image */
    char why[1001];
} pixel_sums;

static void add_pixels(pixel_sums *s, const protea_image *image)
{
    size_t n = (size_t)image->w * (size_t)image->h;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) {
            uint64_t v = image->px[3 * i + c];
            s->sum[c] += v;
            s->square[c] += v * v;
        }
    s->pixels += n;
    s->min_w = s->images == 0 || image->w < s->min_w ? image->w : s->min_w;
    s->min_h = s->images == 0 || image->h < s->min_h ? image->h : s->min_h;
    s->max_w = image->w > s->max_w ? image->w : s->max_w;
    s->max_h = image->h > s->max_h ? image->h : s->max_h;
    s->images++;
}

static void add_failure(pixel_sums *s, protea_status status)
{
    if (status == PROTEA_ERR_INPUT) {
        s->bad++;
        return;
    }
    s->status = status;
    snprintf(s->why, sizeof s->why, "%s", protea_last_error());
}

static void add_sums(pixel_sums *to, const pixel_sums *from)
{
    if (from->status != PROTEA_OK) {
        to->status = from->status;
        memcpy(to->why, from->why, sizeof to->why);
    }
    for (int c = 0; c < 3; c++) {
        to->sum[c] += from->sum[c];
        to->square[c] += from->square[c];
    }
    if (from->images > 0) {
        to->min_w = to->images == 0 || from->min_w < to->min_w ? from->min_w : to->min_w;
        to->min_h = to->images == 0 || from->min_h < to->min_h ? from->min_h : to->min_h;
        to->max_w = from->max_w > to->max_w ? from->max_w : to->max_w;
        to->max_h = from->max_h > to->max_h ? from->max_h : to->max_h;
    }
    to->pixels += from->pixels;
    to->images += from->images;
    to->bad += from->bad;
}

/* Images first..last-1 of the sample; image j of it is number j * n / sample of the set. */
static void measure(const protea_source *source, int64_t first, int64_t last, int64_t sample, pixel_sums *sums)
{
    int64_t n = protea_source_count(source);
#pragma omp parallel
    {
        pixel_sums mine = { 0 };
        protea_image image = { 0 };
#pragma omp for schedule(dynamic, 16)
        for (int64_t j = first; j < last; j++) {
            protea_status status = protea_source_read(source, (int64_t)((double)j * (double)n / (double)sample), &image);
            if (status == PROTEA_OK)
                add_pixels(&mine, &image);
            else
                add_failure(&mine, status);
        }
        protea_image_release(&image);
#pragma omp critical
        add_sums(sums, &mine);
    }
}

static protea_status measure_sample(const protea_source *source, int64_t sample, const protea_call *call, pixel_sums *sums)
{
    enum { IMAGES_BETWEEN_REPORTS = 512 };
    protea_ticker ticker;
    protea_ticker_start(&ticker, call->hooks);
    for (int64_t first = 0; first < sample; first += IMAGES_BETWEEN_REPORTS) {
        int64_t last = first + IMAGES_BETWEEN_REPORTS < sample ? first + IMAGES_BETWEEN_REPORTS : sample;
        measure(source, first, last, sample, sums);
        if (sums->status != PROTEA_OK)
            return protea_fail_text(sums->status, sums->why);
        protea_ticker_tick(&ticker, "inspect", (double)last, (double)sample, "images", NULL);
        if (call->hooks->stop != NULL && *call->hooks->stop)
            return PROTEA_STOPPED;
    }
    return PROTEA_OK;
}

static json_t *class_names(const protea_source *source)
{
    json_t *names = json_array();
    for (int c = 0; c < protea_source_n_classes(source); c++) {
        char name[600];
        json_array_append_new(names, json_string(protea_escape(name, sizeof name, protea_source_class(source, c))));
    }
    return names;
}

static protea_status count_labels(const protea_source *source, json_t **out)
{
    int64_t *count;
    int n_classes = protea_source_n_classes(source);
    PROTEA_TRY(protea_new(&count, (size_t)n_classes, sizeof *count, "counts of labels"));
    for (int64_t i = 0; i < protea_source_count(source); i++) {
        const int32_t *label;
        int n = protea_source_labels(source, i, &label);
        for (int k = 0; k < n; k++)
            count[label[k]]++;
    }
    *out = json_array();
    for (int c = 0; c < n_classes; c++)
        json_array_append_new(*out, json_integer(count[c]));
    protea_free(count);
    return PROTEA_OK;
}

/* Mean and standard deviation over all pixels of a channel, in 0..1. */
static void put_statistics(json_t *result, const pixel_sums *s)
{
    json_t *mean = json_array(), *std = json_array();
    for (int c = 0; c < 3; c++) {
        double pixels = (double)s->pixels, m = (double)s->sum[c] / pixels;
        double variance = (double)s->square[c] / pixels - m * m;
        json_array_append_new(mean, json_real(m / 255));
        json_array_append_new(std, json_real(sqrt(variance > 0 ? variance : 0) / 255));
    }
    json_object_set_new(result, "mean", mean);
    json_object_set_new(result, "std", std);
    json_object_set_new(result, "width", json_pack("[i,i]", s->min_w, s->max_w));
    json_object_set_new(result, "height", json_pack("[i,i]", s->min_h, s->max_h));
    json_object_set_new(result, "sample", json_integer(s->images));
    json_object_set_new(result, "bad", json_integer(s->bad));
}

/* Fails with the reason of the first image. */
static protea_status none_readable(const protea_source *source, const char *spec, int64_t bad)
{
    protea_image image = { 0 };
    protea_status status = protea_source_read(source, 0, &image);
    protea_image_release(&image);
    return protea_fail(PROTEA_ERR_INPUT, "%s: none of %lld images can be read%s%s", spec, (long long)bad,
                       status == PROTEA_OK ? "" : "; the first: ", status == PROTEA_OK ? "" : protea_last_error());
}

static protea_status describe(const protea_source *source, const protea_inspect_opts *opts, const protea_call *call,
                              const char *spec)
{
    pixel_sums sums = { 0 };
    json_t *counts;
    int64_t n = protea_source_count(source), sample = opts->sample > 0 && opts->sample < n ? opts->sample : n;
    const char *warning = protea_source_warning(source);
    if (warning != NULL && call->hooks->log != NULL)
        call->hooks->log(call->hooks->cookie, PROTEA_LOG_WARN, warning);
    PROTEA_TRY(count_labels(source, &counts));
    json_object_set_new(call->result, "kind", json_string(protea_source_kind(source)));
    json_object_set_new(call->result, "n", json_integer(n));
    json_object_set_new(call->result, "classes", json_integer(protea_source_n_classes(source)));
    json_object_set_new(call->result, "labels", class_names(source));
    json_object_set_new(call->result, "labels_by", json_string(protea_source_labels_by(source)));
    json_object_set_new(call->result, "images_per_class", counts);
    json_object_set_new(call->result, "fingerprint", json_string(protea_source_fingerprint(source)));
    PROTEA_TRY(measure_sample(source, sample, call, &sums));
    if (sums.images == 0)
        return none_readable(source, spec, sums.bad);
    put_statistics(call->result, &sums);
    json_t *odd = json_array();
    json_object_set_new(call->result, "odd", odd);
    protea_inspect_odd(odd, source, counts, (const int[]){ sums.min_w, sums.max_w }, (const int[]){ sums.min_h, sums.max_h });
    return PROTEA_OK;
}

protea_status protea_inspect_data(const protea_inspect_opts *opts, const protea_call *call, const char *spec)
{
    protea_source *source;
    protea_images_opts images = opts->images;
    images.several = PROTEA_SEVERAL_KEEP;
    PROTEA_TRY(protea_images_open(&source, spec, &images, 0));
    protea_status status = describe(source, opts, call, spec);
    protea_source_close(source);
    return status;
}
