#include "report/html.h"
#include "report/page.h"

enum { MOST_SKIPPED = 200 }; /* rows of the table of images left out */

void protea_page_settings(FILE *out, const protea_run_record *record)
{
    fputs("<section id=\"settings\">\n<h2>Settings</h2>\n<details open><summary>config.yaml</summary>\n"
          "<div class=\"scroll\"><table>\n<tbody>\n", out);
    for (int i = 0; i < record->n_settings; i++) {
        const protea_setting *s = &record->setting[i];
        fputs("<tr><th scope=\"row\">", out);
        protea_html_text(out, s->key);
        fputs("</th><td class=\"value\">", out);
        protea_html_text(out, s->value[0] ? s->value : "–");
        fputs("</td><td class=\"help\">", out);
        protea_html_text(out, s->help);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n</details>\n</section>\n", out);
}

void protea_page_skipped(FILE *out, const protea_run_record *record)
{
    if (record->n_skipped == 0)
        return;
    fprintf(out, "<section id=\"skipped\">\n<h2>Images left out</h2>\n<p>%lld image%s could not be used",
            (long long)record->n_skipped, record->n_skipped == 1 ? "" : "s");
    if (record->n_skipped > MOST_SKIPPED)
        fprintf(out, "; the first %d are listed, skipped.tsv has all", MOST_SKIPPED);
    fputs(".</p>\n<div class=\"scroll\"><table>\n"
          "<thead><tr><th scope=\"col\">Image</th><th scope=\"col\">Reason</th></tr></thead>\n<tbody>\n", out);
    for (int64_t i = 0; i < record->n_skipped && i < MOST_SKIPPED; i++) {
        fputs("<tr><td class=\"path\">", out);
        protea_html_text(out, record->skipped[2 * i]);
        fputs("</td><td class=\"help\">", out);
        protea_html_text(out, record->skipped[2 * i + 1]);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n</section>\n", out);
}
