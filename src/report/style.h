/* The look of every page we write: one style sheet, light and dark, nothing loaded from elsewhere. */
#ifndef PROTEA_REPORT_STYLE_H
#define PROTEA_REPORT_STYLE_H

extern const char protea_report_style[];
/* What a page of clusters has besides. */
extern const char protea_cluster_style[];

#endif
