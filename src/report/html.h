/* Writing HTML: the one function through which text from outside passes, and images as data. */
#ifndef PROTEA_REPORT_HTML_H
#define PROTEA_REPORT_HTML_H

#include <stdio.h>

#include "image/image.h"

/* Text, or the value of an attribute in double quotes: markup, controls and bytes that are not UTF-8 are escaped. */
void protea_html_text(FILE *out, const char *text);
/* protea_html_text of at most max bytes of text, with an ellipsis in the place of what is cut off in front. */
void protea_html_tail(FILE *out, const char *text, size_t max);

void protea_html_base64(FILE *out, const uint8_t *bytes, size_t len);
/* The src attribute of an image: its centre square as a data URI. Small pictures go as they are (PNG, to be magnified
 * crisply), larger ones are brought down to `side` pixels (JPEG). Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_html_thumbnail(FILE *out, const protea_image *image, int side);

#endif
