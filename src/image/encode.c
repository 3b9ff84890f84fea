/* Writing pictures: JPEG for thumbnails, PNG for generated data sets. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <spng.h>

#include "base/alloc.h"
#include "image/image.h"

typedef struct encoder {
    struct jpeg_error_mgr errors; /* first: libjpeg hands back a pointer to it */
    struct jpeg_compress_struct jpeg;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
    unsigned char *bytes;         /* libjpeg's own malloc */
    unsigned long len;
} encoder;

static void on_error(j_common_ptr jpeg)
{
    encoder *e = (encoder *)(void *)jpeg->err;
    jpeg->err->format_message(jpeg, e->message);
    longjmp(e->back, 1);
}

static void encode(encoder *e, const protea_image *image, int quality)
{
    jpeg_create_compress(&e->jpeg);
    jpeg_mem_dest(&e->jpeg, &e->bytes, &e->len);
    e->jpeg.image_width = (JDIMENSION)image->w;
    e->jpeg.image_height = (JDIMENSION)image->h;
    e->jpeg.input_components = 3;
    e->jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&e->jpeg);
    jpeg_set_quality(&e->jpeg, quality, TRUE);
    jpeg_start_compress(&e->jpeg, TRUE);
    while (e->jpeg.next_scanline < e->jpeg.image_height) {
        JSAMPROW row = image->px + (size_t)e->jpeg.next_scanline * (size_t)image->w * 3;
        jpeg_write_scanlines(&e->jpeg, &row, 1);
    }
    jpeg_finish_compress(&e->jpeg);
}

static protea_status try_to_encode(encoder *e, const protea_image *image, int quality)
{
    e->jpeg.err = jpeg_std_error(&e->errors);
    e->errors.error_exit = on_error;
    if (setjmp(e->back) != 0)
        return protea_fail(e->errors.msg_code == JERR_OUT_OF_MEMORY ? PROTEA_ERR_MEMORY : PROTEA_ERR_INTERNAL,
                           "JPEG cannot be written: %s", e->message);
    encode(e, image, quality);
    return PROTEA_OK;
}

/* Hands what a library allocated over to our own heap. */
static protea_status take_copy(uint8_t **out, size_t *len, void *bytes, size_t n)
{
    protea_status status = protea_new(out, n, 1, "an encoded picture");
    if (status == PROTEA_OK) {
        memcpy(*out, bytes, n);
        *len = n;
    }
    free(bytes);
    return status;
}

protea_status protea_image_encode_jpeg(uint8_t **out, size_t *len, const protea_image *image, int quality)
{
    encoder *e;
    *out = NULL;
    PROTEA_TRY(protea_new(&e, 1, sizeof *e, "a JPEG encoder"));
    protea_status status = try_to_encode(e, image, quality);
    jpeg_destroy_compress(&e->jpeg);
    if (status == PROTEA_OK)
        status = take_copy(out, len, e->bytes, e->len);
    else
        free(e->bytes);
    protea_free(e);
    return status;
}

protea_status protea_image_encode_png(uint8_t **out, size_t *len, const protea_image *image)
{
    struct spng_ihdr header = { .width = (uint32_t)image->w, .height = (uint32_t)image->h, .bit_depth = 8,
                                .color_type = SPNG_COLOR_TYPE_TRUECOLOR };
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    *out = NULL;
    if (png == NULL)
        return protea_fail(PROTEA_ERR_MEMORY, "no memory for a PNG encoder");
    spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    int code = spng_set_ihdr(png, &header);
    if (code == 0)
        code = spng_encode_image(png, image->px, (size_t)image->w * (size_t)image->h * 3, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
    size_t n = 0;
    void *bytes = code == 0 ? spng_get_png_buffer(png, &n, &code) : NULL;
    spng_ctx_free(png);
    if (bytes == NULL) /* zlib can only fail to begin for want of memory */
        return protea_fail(code == SPNG_EMEM || code == SPNG_EZLIB_INIT ? PROTEA_ERR_MEMORY : PROTEA_ERR_INTERNAL,
                           "PNG cannot be written: %s", spng_strerror(code));
    return take_copy(out, len, bytes, n);
}
