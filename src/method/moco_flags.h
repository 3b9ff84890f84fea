/* Flags of MoCo's command line that PCL has too. */
#ifndef PROTEA_METHOD_MOCO_FLAGS_H
#define PROTEA_METHOD_MOCO_FLAGS_H

#include <protea/options.h>

/* As a method's settle, for tables that have aug_plus and cos; each only where it is given.
 *   aug_plus  MoCo v2's views (colour jitter 0.4 0.4 0.4 0.1 for 0.8 of them, blur for half), false: MoCo v1's (colour jitter
 *             0.4 0.4 0.4 0.4 for all, no blur; the reference turns views gray before it, here after it)
 *   cos       lr_schedule cosine-epoch, false: steps
 * Errors: PROTEA_ERR_USAGE (no such option). */
protea_status protea_moco_settle(protea_options *options);

#endif
