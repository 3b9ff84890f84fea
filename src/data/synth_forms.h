/* Ten forms to be told apart, none of them another's mirror image, and what else may lie in a picture. */
#ifndef PROTEA_DATA_SYNTH_FORMS_H
#define PROTEA_DATA_SYNTH_FORMS_H

#include <stdbool.h>

/* Whether (x, y) lies in the form; each fits into the unit disc or nearly so. */
typedef bool (*protea_form)(float x, float y);

enum { PROTEA_FORMS = 10, PROTEA_OTHER_FORMS = 4 };

/* Sorted bytewise: bars, checker, crescent, cross, disc, frame, ring, square, star, triangle. */
extern const char *const protea_form_names[PROTEA_FORMS];
extern const protea_form protea_forms[PROTEA_FORMS];
/* None of the ten: an ellipse, half a disc, an L, a slab. */
extern const protea_form protea_other_forms[PROTEA_OTHER_FORMS];

bool protea_form_disc(float x, float y);
bool protea_form_square(float x, float y);

#endif
