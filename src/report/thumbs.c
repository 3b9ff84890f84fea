#include "report/thumbs.h"

#include "base/alloc.h"
#include "report/html.h"

enum { CRISP = 64, RULE = 96 }; /* pictures up to so many pixels are magnified, not resampled; bytes of a rule but its data */

/* What is tried until all fit. */
static const struct step { double scale; int quality; bool png; } steps[] = {
    { 1, 86, true }, { 1, 78, false }, { 0.8, 74, false }, { 0.64, 70, false }, { 0.5, 64, false }, { 0.36, 55, false },
};
enum { STEPS = sizeof steps / sizeof *steps };

typedef struct code { uint8_t *bytes; size_t len; bool png; } code;

typedef struct thumbs {
    int n, side;
    protea_image *square;   /* (n) w 0: could not be read; owned */
    code *code;             /* (n) owned */
    protea_status *status;  /* (n) owned */
} thumbs;

static void release_codes(thumbs *t)
{
    for (int i = 0; t->code != NULL && i < t->n; i++)
        protea_free(t->code[i].bytes);
}

static void release(thumbs *t)
{
    release_codes(t);
    for (int i = 0; t->square != NULL && i < t->n; i++)
        protea_image_release(&t->square[i]);
    protea_free(t->square);
    protea_free(t->code);
    protea_free(t->status);
}

/* Messages of other threads are theirs alone. */
static protea_status worst(const thumbs *t)
{
    for (int i = 0; i < t->n; i++)
        if (t->status[i] == PROTEA_ERR_MEMORY || t->status[i] == PROTEA_ERR_INTERNAL)
            return protea_fail(t->status[i], "pictures of a page: %s",
                               t->status[i] == PROTEA_ERR_MEMORY ? "no memory" : "one cannot be encoded");
    return PROTEA_OK;
}

static int shorter(const protea_image *image) { return image->w < image->h ? image->w : image->h; }

static protea_status cut_square(protea_image *square, const protea_source *source, int64_t i, int side)
{
    protea_image image = { 0 };
    protea_status status = protea_source_read(source, i, &image);
    if (status == PROTEA_OK)
        status = protea_image_center(square, &image, shorter(&image) < side ? shorter(&image) : side);
    protea_image_settle(square);
    protea_image_release(&image);
    return status;
}

static protea_status read_squares(thumbs *t, const protea_source *source, const int64_t *image)
{
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i < t->n; i++)
        t->status[i] = cut_square(&t->square[i], source, image[i], t->side);
    return worst(t);
}

static protea_status encode_one(code *c, const protea_image *square, int side, const struct step *step)
{
    protea_image small = { 0 };
    *c = (code){ .png = step->png && square->w <= CRISP };
    if (square->w == 0)
        return PROTEA_OK;
    if (c->png)
        return protea_image_encode_png(&c->bytes, &c->len, square);
    if (square->w <= side)
        return protea_image_encode_jpeg(&c->bytes, &c->len, square, step->quality);
    protea_status status = protea_image_center(&small, square, side);
    if (status == PROTEA_OK)
        status = protea_image_encode_jpeg(&c->bytes, &c->len, &small, step->quality);
    protea_image_release(&small);
    return status;
}

/* Bytes of a rule, the data in base64. */
static size_t rule_size(const code *c) { return c->len == 0 ? 0 : RULE + (c->len + 2) / 3 * 4; }

static protea_status encode_all(thumbs *t, const struct step *step, size_t *total)
{
    int side = (int)(t->side * step->scale);
    release_codes(t);
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i < t->n; i++)
        t->status[i] = encode_one(&t->code[i], &t->square[i], side, step);
    *total = 0;
    for (int i = 0; i < t->n; i++)
        *total += rule_size(&t->code[i]);
    return worst(t);
}

static protea_status fit(thumbs *t, size_t budget)
{
    size_t total = budget + 1;
    for (int s = 0; s < STEPS && total > budget; s++)
        PROTEA_TRY(encode_all(t, &steps[s], &total));
    return PROTEA_OK;
}

static void write_rules(FILE *out, const thumbs *t, size_t budget)
{
    size_t used = 0;
    for (int i = 0; i < t->n; i++) {
        const code *c = &t->code[i];
        if (c->len == 0 || used + rule_size(c) > budget)
            continue;
        used += rule_size(c);
        fprintf(out, ".t%d{--t:url(data:image/%s;base64,", i, c->png ? "png" : "jpeg");
        protea_html_base64(out, c->bytes, c->len);
        fputs(t->square[i].w <= CRISP ? ");image-rendering:pixelated}\n" : ")}\n", out);
    }
}

/* The squares of all together take about 100 MB. */
static int side_for(int n) { return n <= 1000 ? 160 : n <= 2000 ? 128 : 88; }

protea_status protea_thumbs_write(FILE *out, protea_source *source, const int64_t *image, int n, size_t budget)
{
    thumbs t = { .n = n, .side = side_for(n) };
    protea_status status = protea_new(&t.square, (size_t)n, sizeof *t.square, "pictures of a page");
    if (status == PROTEA_OK)
        status = protea_new(&t.code, (size_t)n, sizeof *t.code, "pictures of a page");
    if (status == PROTEA_OK)
        status = protea_new(&t.status, (size_t)n, sizeof *t.status, "pictures of a page");
    if (status == PROTEA_OK)
        status = read_squares(&t, source, image);
    if (status == PROTEA_OK)
        status = fit(&t, budget);
    if (status == PROTEA_OK)
        write_rules(out, &t, budget);
    release(&t);
    return status;
}
