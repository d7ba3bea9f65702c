/* page.h: report.html, one page that shows a run. */
#ifndef PAGE_H
#define PAGE_H

#include "checkpoint.h"

/* Fills in the page of page/, which the program has inside, from a model and, where the folder run
   has them, loss.csv and snapshots.safetensors. summary is what readers without script see. Writes
   out/report.html. docs/embed.md describes the numbers for the page's script. */
void page_write(const SavedModel *saved, const char *run, const char *summary, const char *out);

#endif
