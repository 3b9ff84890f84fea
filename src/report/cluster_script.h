/* What a page of clusters does beyond what its markup does alone: the nearest picture is found for the pointer, the map can be
 * zoomed, moved and walked through by keys. Nothing in it writes markup, so names stay text. */
#ifndef PROTEA_REPORT_CLUSTER_SCRIPT_H
#define PROTEA_REPORT_CLUSTER_SCRIPT_H

extern const char protea_cluster_script[];

#endif
