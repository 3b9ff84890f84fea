/* JPEG through libjpeg-turbo. Its errors come back by longjmp, so everything that must be undone lives in one struct that
 * the outer function owns. Each picture has a decompressor of its own: one that is kept saves 0.4 % of the time for pictures of 32
 * pixels, and would let a damaged file be read with the tables of the one before it. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/alloc.h"
#include "image/decode.h"

enum { ROWS = 16 };

typedef struct decoder {
    struct jpeg_error_mgr errors; /* first: libjpeg hands back a pointer to it */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
    int max_scans;
    bool damaged;
    uint8_t *cmyk;                /* one row of a four-channel picture */
} decoder;

static void on_error(j_common_ptr jpeg)
{
    decoder *d = (decoder *)(void *)jpeg->err;
    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->back, 1);
}

/* Stray bytes before the end-of-image marker do no harm. */
static bool is_trailing_garbage(const struct jpeg_error_mgr *e)
{
    return e->msg_code == JWRN_EXTRANEOUS_DATA && e->msg_parm.i[1] == 0xd9;
}

/* Level -1 is a warning about the data: pixels are lost. The picture is given up at once, as what is left of it may be long. */
static void on_message(j_common_ptr jpeg, int level)
{
    decoder *d = (decoder *)(void *)jpeg->err;
    if (level >= 0 || is_trailing_garbage(jpeg->err))
        return;
    d->damaged = true;
    jpeg->err->format_message(jpeg, d->message);
    longjmp(d->back, 1);
}

static void on_scan(j_common_ptr jpeg)
{
    decoder *d = (decoder *)(void *)jpeg->err;
    if (d->jpeg.input_scan_number <= d->max_scans)
        return;
    snprintf(d->message, sizeof d->message, "more than %d scans", d->max_scans);
    longjmp(d->back, 1);
}

static void decoder_prepare(decoder *d, const protea_limits *limits)
{
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.emit_message = on_message;
    d->progress.progress_monitor = on_scan;
    d->max_scans = limits->max_scans;
}

/* Pillow's rule: all four channels are taken for Adobe's inverted ones, then r = (255 - k) - c (255 - k) / 255. */
static void cmyk_to_rgb(uint8_t *out, const uint8_t *stored, int n)
{
    for (int i = 0; i < n; i++, out += 3, stored += 4)
        for (int c = 0; c < 3; c++) {
            int white = stored[3], t = (255 - stored[c]) * white + 128;
            out[c] = (uint8_t)(white - (((t >> 8) + t) >> 8));
        }
}

static uint8_t *row_of(const protea_image *out, JDIMENSION y)
{
    return out->px + (size_t)y * (size_t)out->w * 3;
}

/* Many at a time: for pictures of 32 pixels a fifth faster than one by one. */
static void read_rows(struct jpeg_decompress_struct *jpeg, const protea_image *out)
{
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[ROWS];
        JDIMENSION y = jpeg->output_scanline, n = jpeg->output_height - y < ROWS ? jpeg->output_height - y : ROWS;
        for (JDIMENSION i = 0; i < n; i++)
            rows[i] = row_of(out, y + i);
        jpeg_read_scanlines(jpeg, rows, n);
    }
}

static void read_cmyk_rows(decoder *d, const protea_image *out)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = row_of(out, jpeg->output_scanline);
        jpeg_read_scanlines(jpeg, &d->cmyk, 1);
        cmyk_to_rgb(row, d->cmyk, out->w);
    }
}

static bool has_four_channels(const struct jpeg_decompress_struct *jpeg)
{
    return jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
}

/* Runs between setjmp and whatever jumps back: holds nothing of its own. */
static protea_status decode(decoder *d, protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                            const protea_limits *limits)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)len);
    jpeg_read_header(jpeg, TRUE);
    PROTEA_TRY(protea_decode_check_size(jpeg->image_width, jpeg->image_height, name, limits));
    PROTEA_TRY(protea_image_reserve(out, (int)jpeg->image_width, (int)jpeg->image_height));
    jpeg->out_color_space = has_four_channels(jpeg) ? JCS_CMYK : JCS_RGB;
    if (has_four_channels(jpeg))
        PROTEA_TRY(protea_new(&d->cmyk, jpeg->image_width, 4, name));
    jpeg_start_decompress(jpeg);
    if (d->cmyk != NULL)
        read_cmyk_rows(d, out);
    else
        read_rows(jpeg, out);
    jpeg_finish_decompress(jpeg);
    return PROTEA_OK;
}

static protea_status try_to_decode(decoder *d, protea_image *out, const uint8_t *bytes, size_t len, const char *name,
                                   const protea_limits *limits)
{
    if (setjmp(d->back) != 0)
        return protea_fail(d->errors.msg_code == JERR_OUT_OF_MEMORY ? PROTEA_ERR_MEMORY : PROTEA_ERR_INPUT,
                           d->damaged ? "%s: JPEG is damaged or cut off: %s" : "%s: JPEG cannot be read: %s", name, d->message);
    return decode(d, out, bytes, len, name, limits);
}

protea_status protea_decode_jpeg(protea_image *out, const uint8_t *bytes, size_t len, const char *name, const protea_limits *limits)
{
    decoder d = { .damaged = false };
    decoder_prepare(&d, limits);
    protea_status status = try_to_decode(&d, out, bytes, len, name, limits);
    jpeg_destroy_decompress(&d.jpeg);
    protea_free(d.cmyk);
    return status;
}
