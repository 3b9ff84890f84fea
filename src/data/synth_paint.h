/* Brushes of the generated pictures. All draw their numbers from the rng in a fixed order, on which the images depend. */
#ifndef PROTEA_DATA_SYNTH_PAINT_H
#define PROTEA_DATA_SYNTH_PAINT_H

#include "data/synth_forms.h"
#include "image/image.h"

typedef struct protea_colour { float v[3]; } protea_colour; /* 0..255 */

/* A form's place: centre and radius in pixels, turn in radians. */
typedef struct protea_figure { float x, y, radius, turn; } protea_figure;

/* Uniform in low..high. */
float protea_between(protea_rng *rng, float low, float high);
/* A gray of the given range, each channel off it by up to tint. */
protea_colour protea_tinted(protea_rng *rng, float low, float high, float tint);
/* Covers a pixel by a share in 0..1 of the colour. */
void protea_paint_pixel(protea_image *out, int x, int y, protea_colour c, float share);
/* Covers each pixel by the share of 3 x 3 samples that lie in the form. */
void protea_paint_form(protea_image *out, protea_form inside, protea_figure f, protea_colour c);
/* Whether f comes too near to one of the n figures. */
bool protea_figure_overlaps(const protea_figure *figures, int n, protea_figure f);
/* Adds noise of a strength that is drawn from 0..most. */
void protea_paint_noise(protea_image *out, float most, protea_rng *rng);

#endif
