#include "report/html.h"

#include <string.h>

#include "base/alloc.h"

enum { CRISP = 64, QUALITY = 88 }; /* pictures up to this many pixels are magnified, not resampled */

void protea_html_text(FILE *out, const char *text)
{
    char clean[8192];
    protea_escape(clean, sizeof clean, text);
    for (const char *c = clean; *c; c++)
        switch (*c) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*c, out);
        }
}

void protea_html_tail(FILE *out, const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len > max) {
        fputs("…", out);
        text += len - max;
        while ((*text & 0xc0) == 0x80) /* not in the middle of a character */
            text++;
    }
    protea_html_text(out, text);
}

void protea_html_base64(FILE *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned n = (unsigned)bytes[i] << 16;
        n |= i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0;
        n |= i + 2 < len ? bytes[i + 2] : 0;
        fputc(digits[n >> 18], out);
        fputc(digits[n >> 12 & 63], out);
        fputc(i + 1 < len ? digits[n >> 6 & 63] : '=', out);
        fputc(i + 2 < len ? digits[n & 63] : '=', out);
    }
}

protea_status protea_html_thumbnail(FILE *out, const protea_image *image, int side)
{
    int shortest = image->w < image->h ? image->w : image->h;
    bool crisp = shortest <= CRISP;
    protea_image square = { 0 };
    uint8_t *bytes = NULL;
    size_t len = 0;
    protea_status status = protea_image_center(&square, image, crisp || shortest < side ? shortest : side);
    if (status == PROTEA_OK)
        status = crisp ? protea_image_encode_png(&bytes, &len, &square) : protea_image_encode_jpeg(&bytes, &len, &square, QUALITY);
    if (status == PROTEA_OK) {
        fprintf(out, "src=\"data:image/%s;base64,", crisp ? "png" : "jpeg");
        protea_html_base64(out, bytes, len);
        fputs(crisp ? "\" class=\"crisp\"" : "\"", out);
    }
    protea_free(bytes);
    protea_image_release(&square);
    return status;
}
