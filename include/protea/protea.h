/* Protea: prototype-based self-supervised learning on images. Includes everything public. */
#ifndef PROTEA_H
#define PROTEA_H

#include <protea/adapt.h>
#include <protea/job.h>
#include <protea/kmeans.h>
#include <protea/options.h>
#include <protea/status.h>
#include <protea/tsne.h>
#include <protea/version.h>

#endif
